import type { SecretDescription } from '../../lib/aws/secrets-manager.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import type { ManagedSecret } from './contract.ts';

/** What is asked about: the replaced secret's grace is over, and its label is about to be taken off. */
export interface RetirementView {
  readonly secret: SecretDescription;
  /** The settings' entry of the secret; undefined where they do not list it. */
  readonly entry: ManagedSecret | undefined;
  readonly current: { readonly versionId: string; readonly secretId: string };
  readonly previous: { readonly versionId: string; readonly secretId: string };
  /** By Atlas's clock. */
  readonly now: Date;
}

/** Whether everybody who must have the new value has it; else the names of who has not. */
export type Retirement = { readonly ok: true } | { readonly ok: false; readonly waitingFor: readonly string[] };

/** Throws where it can't be found out: then nothing is deleted, and the next sweep asks again. */
export type MayRetire = (view: RetirementView, deadline: Deadline) => Promise<Retirement>;

/** Readers in another region read the copy there: the replaced secret stays until every copy has followed. */
export const replicasInSync: MayRetire = async ({ secret }) => {
  const behind = secret.replicas.filter(({ status }) => status !== 'InSync');
  return behind.length === 0
    ? { ok: true }
    : { ok: false, waitingFor: behind.map(({ region, status }) => `replica ${region} (${status})`) };
};

/** Several gates as one: open when all are, and with every reason at once. */
export const everyGate =
  (...gates: readonly MayRetire[]): MayRetire =>
  async (view, deadline) => {
    const answers = await Promise.all(gates.map((gate) => gate(view, deadline)));
    const waitingFor = answers.flatMap((answer) => (answer.ok ? [] : answer.waitingFor));
    return waitingFor.length === 0 ? { ok: true } : { ok: false, waitingFor };
  };
