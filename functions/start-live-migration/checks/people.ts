import { type Check, fail, pass, unknown } from '../checks.ts';

const attested = (number: number, id: string, title: string, remedy: string): Check => ({
  id,
  number,
  title,
  severity: 'ATTEST',
  remedy,
  judge: () => unknown('nobody has attested it'),
});

/** What no API knows. */
export const peopleChecks: readonly Check[] = [
  {
    id: 'authentication',
    number: 19,
    title: 'Either Cloud Manager keeps the credentials, or they are given',
    severity: 'BLOCKER',
    remedy: 'Give source.credentialsSecret, or set managedAuthentication.',
    judge: ({ request: { source } }) =>
      source.managedAuthentication === (source.credentialsSecret === undefined)
        ? pass('one of both')
        : fail('both, or neither'),
  },
  {
    id: 'secret-steady',
    number: 20,
    title: 'The source’s credentials do not change during the migration',
    severity: 'BLOCKER',
    remedy: 'Put off the rotation of the secret: the migration keeps the credentials it was started with.',
    judge: ({ request: { source }, secret }) => {
      if (source.managedAuthentication) return pass('Cloud Manager keeps them');
      if ('problem' in secret) return unknown(secret.problem);
      return secret.known === undefined ? pass('no rotation is due') : fail(secret.known);
    },
  },
  {
    id: 'tier',
    number: 25,
    title: 'The destination is two sizes larger than the source needs',
    severity: 'WARNING',
    attestable: true,
    remedy: 'Take a larger size for the time of the migration.',
    judge: () => unknown('the source’s size in Atlas’s terms is not told: attest it'),
  },
  {
    id: 'migration-host-memory',
    number: 30,
    title: 'The migration host has memory for the verifier',
    severity: 'WARNING',
    attestable: true,
    remedy: '10 GB, and half a gigabyte for each million documents.',
    judge: () => unknown('no API tells it: attest it'),
  },
  attested(32, 'freeze-plan', 'Who stops the applications’ writes, and how', 'Name the people, and the steps.'),
  attested(33, 'connection-string', 'The new connection string works from every network', 'Try it from each of them.'),
  attested(
    34,
    'rollback',
    'Until when, and how, it can be rolled back',
    'Before the first write at the destination: point back to the source. After it there is no way back through this API.',
  ),
];
