import type { Generator } from '../generator.ts';
import type { GroupRole, OrgRole } from '../roles.ts';
import type { Organization, ServiceAccount } from '../world.ts';

interface AccessListEntry {
  /** One address, or a CIDR block. */
  readonly address: string;
  readonly createdAt: Date;
}

export interface ApiKey {
  readonly id: string;
  readonly orgId: string;
  /** The user name of HTTP Digest. */
  readonly publicKey: string;
  /** Its password. */
  readonly privateKey: string;
  orgRoles: OrgRole[];
  /** Roles by project id. */
  readonly groupRoles: Map<string, GroupRole[]>;
  /** Where API calls may come from; empty allows every address. */
  readonly accessList: AccessListEntry[];
}

/** Whoever makes a call. */
export type Caller = ServiceAccount | ApiKey;

/** What Atlas calls the caller in answers: a client id, or a public key. */
export function usernameOf(caller: Caller): string {
  return 'clientId' in caller ? caller.clientId : caller.publicKey;
}

/** Addresses and CIDR blocks the caller's calls may come from; empty allows every address. */
export function addressesOf(caller: Caller): string[] {
  return caller.accessList.map((entry) => (typeof entry === 'string' ? entry : entry.address));
}

/** The programmatic API keys of all organizations. */
export class ApiKeys {
  readonly #keys = new Map<string, ApiKey>();
  readonly #time: { now(): Date };
  readonly #generator: Generator;

  /** What a picture of this state holds. */
  get collections() {
    return { keys: this.#keys };
  }

  constructor(time: { now(): Date }, generator: Generator) {
    this.#time = time;
    this.#generator = generator;
  }

  add(org: Organization, { roles, accessList = [] }: { roles: readonly OrgRole[]; accessList?: string[] }): ApiKey {
    const createdAt = this.#time.now();
    const key: ApiKey = {
      id: this.#generator.hex(24),
      orgId: org.id,
      publicKey: letters(this.#generator.hex(8)),
      privateKey: uuid(this.#generator.hex(32)),
      orgRoles: [...roles],
      groupRoles: new Map(),
      accessList: accessList.map((address) => ({ address, createdAt })),
    };
    this.#keys.set(key.publicKey, key);
    return key;
  }

  byPublicKey(publicKey: string): ApiKey | undefined {
    return this.#keys.get(publicKey);
  }

  inOrg(org: Organization, id: string): ApiKey | undefined {
    return this.#keys.values().find((key) => key.id === id && key.orgId === org.id);
  }
}

/** Public keys are lowercase letters only. */
function letters(hex: string): string {
  return [...hex].map((digit) => 'abcdefghijklmnop'.charAt(Number.parseInt(digit, 16))).join('');
}

export function uuid(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
