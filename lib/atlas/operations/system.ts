import * as z from 'zod';
import { operation } from './define.ts';
import { Nothing } from './shapes.ts';

/**
 * The root of the API. Any caller with a working credential gets an answer, so it is the cheapest proof that a token
 * is accepted from this network. Role: whoever is authenticated.
 */
export const getSystemStatus = operation({
  id: 'getSystemStatus',
  summary: 'Whether the API answers, and as whom',
  method: 'GET',
  path: '/api/atlas/v2',
  version: '2023-01-01',
  repeat: 'safe',
  params: z.strictObject({}),
  response: Nothing,
});
