import { type Check, type Evidence, fail, notApplicable, pass, unknown, type Verdict } from '../checks.ts';
import type { SourceFacts } from '../source.ts';
import { deploymentOf } from './place.ts';

const inSource = ({ source }: Evidence, judge: (facts: SourceFacts) => Verdict): Verdict => {
  if (source === undefined) return unknown('the source was not looked at: give source.uriSecret, or attest it');
  return 'problem' in source ? unknown(source.problem) : judge(source.known);
};
const none = (problems: readonly string[]): Verdict =>
  problems.length === 0 ? pass('none') : fail(problems.join('; '));

/** The cluster the data comes from: looked at through its driver, or answered for by people. */
export const sourceChecks: readonly Check[] = [
  {
    id: 'time-series',
    number: 14,
    title: 'The source has no time-series collections',
    severity: 'BLOCKER',
    attestable: true,
    remedy: 'Move them by other means: they are skipped without a word.',
    judge: (evidence) => inSource(evidence, ({ timeSeries }) => none(timeSeries)),
  },
  {
    id: 'unmigratable',
    number: 15,
    title: 'The source has nothing a migration can’t take',
    severity: 'BLOCKER',
    attestable: true,
    remedy:
      'Remove clustered collections with TTL, fields that begin with $, doubled field names, indexes that differ in uniqueness alone, and Queryable Encryption.',
    judge: (evidence) => inSource(evidence, ({ unmigratable }) => none(unmigratable)),
  },
  {
    id: 'sharded-source',
    number: 16,
    title: 'A sharded source fits',
    severity: 'BLOCKER',
    attestable: true,
    remedy:
      'At most 63 indexes a collection, the default collation, _id unique over all shards, equal indexes on all shards.',
    judge: (evidence) => {
      const { deployment } = deploymentOf(evidence);
      if (deployment?.sharded === false) return notApplicable('the source is a replica set');
      return inSource(evidence, ({ shardingProblems }) => none(shardingProblems));
    },
  },
  {
    id: 'source-healthy',
    number: 17,
    title: 'The source is a healthy replica set, or sharded cluster',
    severity: 'BLOCKER',
    attestable: true,
    remedy: 'Bring its members up: it needs a primary.',
    judge: (evidence) =>
      inSource(evidence, ({ isReplicaSet, hasPrimary }) => {
        if (!isReplicaSet) return fail('it is a standalone');
        return hasPrimary ? pass('it has a primary') : fail('it has no primary');
      }),
  },
  {
    id: 'source-user',
    number: 18,
    title: 'The source’s user may read everything',
    severity: 'BLOCKER',
    remedy:
      'Give it backup and readAnyDatabase (and clusterMonitor where sharded), with both SCRAM mechanisms, on every shard.',
    judge: (evidence) => {
      if (evidence.request.source.managedAuthentication) return notApplicable('Cloud Manager keeps the user');
      if (evidence.source && 'known' in evidence.source) return none(evidence.source.known.userProblems);
      return evidence.validation.state === 'succeeded'
        ? pass('Atlas’s validation signed in with it')
        : unknown('Atlas’s validation has not succeeded');
    },
  },
  {
    id: 'oplog',
    number: 24,
    title: 'The source’s oplog holds at least a day',
    severity: 'WARNING',
    remedy: 'Enlarge the oplog: a migration that falls behind it must begin anew.',
    judge: (evidence) =>
      inSource(evidence, ({ oplogWindowSeconds }) => {
        if (oplogWindowSeconds === undefined) return unknown('not told');
        const hours = oplogWindowSeconds / 3600;
        return hours >= 24 ? pass(`${hours.toFixed(1)} h`) : fail(`${hours.toFixed(1)} h`);
      }),
  },
  {
    id: 'balancers',
    number: 28,
    title: 'The balancers are off',
    severity: 'WARNING',
    remedy: 'Stop the balancer at both ends, and wait a quarter of an hour.',
    judge: (evidence) => {
      const { deployment } = deploymentOf(evidence);
      if (deployment?.sharded === false) return notApplicable('the source is a replica set');
      return inSource(evidence, ({ balancerRuns }) => {
        if (balancerRuns === undefined) return unknown('not told');
        return balancerRuns ? fail('the source’s balancer runs') : pass('off');
      });
    },
  },
];
