/** What the built model offers to whoever runs it. */

import { explore, explorePairs, nothingExplored, take } from './explore.ts';
import { createModelWorld } from './model-world.ts';
import { type Played, play, traceOf } from './play.ts';
import { SCENES } from './scenes.ts';
import { parseSchedule } from './schedule.ts';
import { awsPackage } from './stand-ins/aws.ts';
import { time } from './stand-ins/time.ts';
import {
  asWritten,
  type PlayedTogether,
  parseTogether,
  playInOrder,
  playTogether,
  textOfTogether,
} from './together.ts';
import { useWire, Wire } from './wire.ts';

/** Plays a schedule from its text again, interleaved or not. */
async function replay(text: string): Promise<Played | PlayedTogether> {
  const interleaved = parseTogether(text);
  if (!interleaved) return play(parseSchedule(text));
  const { together, lanes, order } = interleaved;
  return playInOrder({ ...parseSchedule(together), lanes }, asWritten(order));
}

export const model = {
  SCENES,
  /** The pieces the model stands on, for the test that holds them against the real ones. */
  parts: { awsPackage, createModelWorld, time, useWire, Wire },
  explore,
  explorePairs,
  nothingExplored,
  play,
  playTogether,
  replay,
  take,
  textOfTogether,
  traceOf,
};
export type Model = typeof model;
