/**
 * What befalls a run, in writing: `admin/previous over/fresh 17l 23z5` is a scene, then moves, each at the number of an
 * effect. The same text always plays the same way.
 */

/** A fault of the effect itself, or something that happens just before it. */
export interface Move {
  /** The number of the effect; 0 where it is said by name. */
  readonly at: number;
  readonly code: string;
  /** The effect as the nth of its operation, such as `PutSecretValue.2`: what stands still while the code changes. */
  readonly on?: string;
}

export interface Schedule {
  readonly scene: string;
  readonly moves: readonly Move[];
}

const MOVE = /^(?:(\d+)|(\w+\.\d+):)(k|K|l|L|d\d+|D\d+|x\d+|X\d+|f5|s|z\d+|![A-Z]\d*)$/;

const textOfMove = ({ at, on, code }: Move): string => (on === undefined ? `${at}${code}` : `${on}:${code}`);

/** An operation by the name schedules use: the same for an organization's account and a project's. */
export const nameOf = (operation: string): string =>
  operation.replace(/^(create|get|delete)\w*(ServiceAccount\w*)$/, '$1$2');

export const textOf = ({ scene, moves }: Schedule): string => [scene, ...moves.map(textOfMove)].join(' ');

export function parseSchedule(text: string): Schedule {
  const words = text.split(' ');
  const from = words.findIndex((word) => MOVE.test(word));
  const [scene, moves] = from === -1 ? [words, []] : [words.slice(0, from), words.slice(from)];
  return {
    scene: scene.join(' '),
    moves: moves.map((word) => {
      const [, at, on, code] = MOVE.exec(word) ?? [];
      if (code === undefined) throw new Error(`${word} is no move`);
      return { at: Number(at ?? 0), code, ...(on !== undefined && { on }) };
    }),
  };
}

/** How each move reads in a trace. */
export function sayMove(code: string): string {
  const number = code.replace(/\D/g, '');
  if (code.startsWith('!')) {
    const what: Record<string, string> = {
      S: 'the hourly sweep runs',
      G: 'the sweep runs on a RotationFailed event',
      D: 'a dry sweep runs',
      M: 'an operator puts the current bytes with a note',
      Q: 'an operator puts the previous bytes back',
      L: 'an operator rolls back by the verb for it',
      U: 'an operator has the previous secret, or else the current one, revoked as leaked',
      O: 'the secret that holds a copy is out of reach for days',
      B: 'an operator moves AWSCURRENT back by its label',
      C: 'an operator cancels the rotation',
      P: 'an operator takes AWSPENDING off',
      X: 'somebody deletes the new secret in Atlas',
      V: 'somebody deletes the previous secret in Atlas',
      E: 'an operator schedules the deletion of the managed secret',
      R: 'an operator asks for a rotation',
      T: `${number} minutes pass`,
    };
    return what[code.charAt(1)] ?? code;
  }
  const faults: Record<string, string> = {
    k: 'killed before it',
    K: 'killed after it',
    l: 'carried out, the answer lost',
    L: 'carried out, the answer lost, out of reach from then on',
    d: `no answer, carried out ${number} effects later`,
    D: `no answer, carried out ${number} effects later, out of reach from then on`,
    x: `refused with ${number}`,
    X: `refused with ${number} at every attempt`,
    f: 'carried out, answered 500',
    s: 'answered with what was so before',
    z: `given up by its caller, goes on ${number} effects later`,
  };
  return faults[code.charAt(0)] ?? code;
}

/** How long something late stays away, in effects. */
export interface Waits {
  /** For what decides who loses what: the mint, the store, the promotion, a deletion. */
  readonly deciding: readonly number[];
  /** For everything else. */
  readonly other: readonly number[];
}

/** The moves that are worth trying at an effect, by what kind of effect it is. */
export function movesFor(operation: string, isWrite: boolean, { deciding, other }: Waits): string[] {
  const waits = (letter: string, long: readonly number[]): string[] => long.map((n) => `${letter}${n}`);
  const isDeciding = /^(create|delete)\w*Secret$|^(PutSecretValue|UpdateSecretVersionStage)$/.test(operation);
  const late = [
    ...waits('d', other),
    ...(AWS_WRITES.has(operation) ? waits('D', isDeciding ? deciding : other) : []),
    ...waits('z', isDeciding ? deciding : other),
  ];
  if (AWS_WRITES.has(operation)) return ['k', 'K', 'l', 'L', 'x4', 'X4', 'x29', 'X29', 'x5', 'X5', ...late];
  if (operation === 'mintToken')
    return ['k', 'K', 'l', 'x1', 'X1', 'x3', 'x29', 'X29', 'x5', 'X5', ...waits('z', other)];
  if (operation === 'revokeToken') return ['K', 'l', 'x4', 'x5', ...waits('d', other)];
  if (isWrite) return ['k', 'K', 'l', 'x4', 'x3', 'x9', 'x29', 'X29', 'x5', 'X5', 'f5', ...late];
  return operation.startsWith('get') ? ['X5', 'x3', 'x44', 'X29', 's'] : ['x4', 'X5', 'X29', 's'];
}

const AWS_WRITES = new Set(['PutSecretValue', 'UpdateSecretVersionStage', 'RotateSecret', 'PutEvents', 'UpdateSecret']);

/** What people and the sweep may do just before any effect. */
export const ACTIONS: readonly string[] = [
  '!S',
  '!G',
  '!D',
  '!M',
  '!Q',
  '!C',
  '!P',
  '!X',
  '!V',
  '!E',
  '!R',
  '!L',
  '!U',
  '!O',
  '!T4',
];
