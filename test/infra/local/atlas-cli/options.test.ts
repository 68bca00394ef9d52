import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { optionsOf } from '../../../../infra/local/atlas-cli/options.ts';
import { catalogue } from '../../../../lib/atlas/catalogue.ts';
import type { Operation } from '../../../../lib/atlas/operations/define.ts';

const withQuery = (query: NonNullable<Operation['query']>): Operation => ({
  ...{ id: 'look', summary: 'Looks', method: 'GET', path: '/api/atlas/v2/look', repeat: 'safe' },
  params: z.object({}),
  query,
  response: z.unknown(),
});

describe('an option', () => {
  it('is described by its schema, wherever in it the words stand', () => {
    const instant = z.string().transform((text) => new Date(text));
    const query = z.object({
      plain: z.string().describe('plain words'),
      inside: z.string().describe('inner words').optional(),
      transformed: instant.describe('words of a transform').optional(),
      either: z
        .union([z.date(), instant])
        .transform((date) => date.toString())
        .describe('words of a union'),
      refined: z.preprocess((value) => value, z.string().describe('words behind a pipe')),
      bare: z.string(),
    });
    expect(optionsOf(withQuery(query.refine(() => true))).map(({ description }) => description)).toEqual([
      'plain words',
      'inner words',
      'words of a transform',
      'words of a union',
      'words behind a pipe',
      'bare',
    ]);
  });

  it('of any operation has words of its own', () => {
    const bare = [...catalogue.values()].flatMap((op) =>
      optionsOf(op)
        .filter(({ flag, description }) => description.split(';')[0] === flag.replaceAll('-', ' '))
        .map(({ flag }) => `${op.id} --${flag}`),
    );
    expect(bare).toEqual([]);
  });
});
