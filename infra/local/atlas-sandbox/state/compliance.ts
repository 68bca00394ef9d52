import type { PolicyItem } from './schedule.ts';

const SETTLES_AFTER_MS = 10_000;

/** A project's Backup Compliance Policy: the least every schedule of the project must do. */
export interface CompliancePolicy {
  readonly authorizedEmail: string;
  readonly authorizedUserFirstName: string;
  readonly authorizedUserLastName: string;
  readonly copyProtectionEnabled: boolean;
  readonly encryptionAtRestEnabled: boolean;
  readonly pitEnabled: boolean;
  readonly restoreWindowDays: number;
  readonly onDemandPolicyItem: PolicyItem | null;
  readonly scheduledPolicyItems: readonly PolicyItem[];
  /** Whether MongoDB's support has agreed that it may be disabled. */
  readonly deletable: boolean;
  readonly updatedAt: Date;
  readonly updatedUser: string;
  /** A state it stays in; otherwise the state follows from the clock. */
  readonly stuckIn: 'ENABLING' | 'UPDATING' | 'DISABLING' | undefined;
}

interface Kept extends CompliancePolicy {
  readonly isFirst: boolean;
  readonly disabledAt: Date | undefined;
}

/** The policies of all projects. */
export class Compliance {
  readonly #policies = new Map<string, Kept>();
  readonly #now: () => Date;

  /** What a picture of this state holds. */
  get collections() {
    return { policies: this.#policies };
  }

  constructor(world: { now(): Date }) {
    this.#now = () => world.now();
  }

  /** Places or changes a policy; what is not given stays, or is Atlas's default. */
  set(project: { readonly id: string }, change: Partial<CompliancePolicy> = {}): void {
    const before = this.#kept(project.id);
    this.#policies.set(project.id, {
      authorizedEmail: 'security@example.com',
      authorizedUserFirstName: 'Alex',
      authorizedUserLastName: 'Doe',
      copyProtectionEnabled: false,
      encryptionAtRestEnabled: false,
      pitEnabled: false,
      restoreWindowDays: 0,
      onDemandPolicyItem: null,
      scheduledPolicyItems: [],
      deletable: false,
      updatedUser: 'security@example.com',
      stuckIn: undefined,
      ...before,
      updatedAt: this.#now(),
      ...change,
      isFirst: before === undefined,
      disabledAt: undefined,
    });
  }

  /** The policy in force, with the state it is in. */
  of(
    groupId: string,
  ): (CompliancePolicy & { readonly state: 'ACTIVE' | 'ENABLING' | 'UPDATING' | 'DISABLING' }) | undefined {
    const kept = this.#kept(groupId);
    if (!kept) return undefined;
    const isSettled = this.#now().getTime() - kept.updatedAt.getTime() >= SETTLES_AFTER_MS;
    const changing = kept.isFirst ? 'ENABLING' : 'UPDATING';
    const state = kept.disabledAt ? 'DISABLING' : (kept.stuckIn ?? (isSettled ? 'ACTIVE' : changing));
    return { ...kept, state };
  }

  /** Begins to disable the policy, which takes some seconds. */
  disable(groupId: string): void {
    const kept = this.#kept(groupId);
    if (kept) this.#policies.set(groupId, { ...kept, disabledAt: kept.disabledAt ?? this.#now() });
  }

  #kept(groupId: string): Kept | undefined {
    const kept = this.#policies.get(groupId);
    if (kept?.disabledAt && this.#now().getTime() - kept.disabledAt.getTime() >= SETTLES_AFTER_MS) return undefined;
    return kept;
  }
}
