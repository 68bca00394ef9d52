import type { Clock } from '../../../lib/runtime/clock.ts';
import { wholeSeconds } from './date.ts';
import type { Generator } from './generator.ts';
import { jwt } from './jwt.ts';
import { type GroupRole, meetsInGroup, type OrgRole } from './roles.ts';
import { Access } from './state/access.ts';
import { Alerts } from './state/alerts.ts';
import { type ApiKey, ApiKeys, type Caller } from './state/api-keys.ts';
import { BackupJobs } from './state/backup-jobs.ts';
import { Backups } from './state/backups.ts';
import { CloudManager, type CloudManagerProject, type NewCloudManagerProject } from './state/cloud-manager.ts';
import { Clusters, type Tag } from './state/clusters.ts';
import { Compliance } from './state/compliance.ts';
import { Events } from './state/events.ts';
import { FlexBackups } from './state/flex-backups.ts';
import { Migrations } from './state/migrations.ts';
import { Networking } from './state/networking.ts';
import { OnlineArchives } from './state/online-archives.ts';
import { SearchIndexes } from './state/search-indexes.ts';

const HOUR_MS = 3_600_000;
const SHORTENED_TO_MS = 7 * 24 * HOUR_MS;
const TOKEN_LIFETIME_MS = HOUR_MS;

export const SECRETS_PER_ACCOUNT = 2;

export interface Organization {
  readonly id: string;
  name: string;
  /** The organization's setting: no secret may be asked for longer than this. */
  maxSecretValidityHours: number;
}

export interface Project {
  readonly id: string;
  readonly orgId: string;
  readonly createdAt: Date;
  name: string;
  readonly tags?: readonly Tag[];
}

export interface Secret {
  readonly id: string;
  readonly value: string;
  readonly createdAt: Date;
  expiresAt: Date;
  lastUsedAt: Date | undefined;
}

export interface ServiceAccount {
  readonly clientId: string;
  readonly orgId: string;
  readonly createdAt: Date;
  name: string;
  description: string | undefined;
  orgRoles: OrgRole[];
  /** Roles by project id. */
  readonly groupRoles: Map<string, GroupRole[]>;
  /** Never more than {@link SECRETS_PER_ACCOUNT}; an expired one keeps its place until it is deleted. */
  readonly secrets: Secret[];
  /** Addresses and CIDR blocks API calls may come from; empty allows every address. */
  accessList: string[];
}

export interface Token {
  readonly value: string;
  readonly clientId: string;
  readonly secretId: string;
  readonly expiresAt: Date;
}

interface SecretTimes {
  /** Lifetime; 8760 unless given. */
  readonly hours?: number;
  /** Now unless given. */
  readonly createdAt?: Date;
  /** Wins over `hours`; may lie in the past. */
  readonly expiresAt?: Date;
  readonly lastUsedAt?: Date;
}

/** One map or set of the state. */
export type Collection = Map<string, unknown> | Set<unknown>;

/** Atlas's state. Everything can be read and seeded directly; the rules of the API are applied by the API only. */
export class World {
  readonly orgs = new Map<string, Organization>();
  readonly projects = new Map<string, Project>();
  readonly accounts = new Map<string, ServiceAccount>();
  /** How long the API takes to create a secret, in real milliseconds: the time in which a second create collides. */
  secretCreationMs = 1;
  readonly apiKeys: ApiKeys;
  readonly events: Events;
  readonly alerts: Alerts;
  readonly networking: Networking;
  readonly access: Access;
  readonly cloudManager: CloudManager;
  readonly clusters: Clusters;
  readonly searchIndexes: SearchIndexes;
  readonly onlineArchives: OnlineArchives;
  readonly migrations: Migrations;
  readonly backups: Backups;
  readonly backupJobs: BackupJobs;
  readonly flexBackups: FlexBackups;
  readonly compliance: Compliance;
  readonly #tokens = new Map<string, Token>();
  readonly #clock: Clock;
  readonly #generator: Generator;
  readonly #maxSecretValidityHours: number;

  constructor(clock: Clock, generator: Generator, maxSecretValidityHours: number) {
    this.#clock = clock;
    this.#generator = generator;
    this.#maxSecretValidityHours = maxSecretValidityHours;
    this.apiKeys = new ApiKeys(this, generator.fork('api keys'));
    this.events = new Events(this, generator.fork('events'));
    this.alerts = new Alerts(this, generator.fork('alerts'), this.events);
    this.networking = new Networking(this, generator.fork('networking'));
    this.access = new Access(this, generator.fork('access'));
    this.cloudManager = new CloudManager(this, generator.fork('cloud manager'));
    this.clusters = new Clusters(this, generator.fork('clusters'));
    this.searchIndexes = new SearchIndexes(this, generator.fork('search indexes'));
    this.onlineArchives = new OnlineArchives(this, generator.fork('online archives'));
    this.migrations = new Migrations(this, generator.fork('migrations'), this.events);
    this.backups = new Backups(this, this.migrations);
    this.backupJobs = new BackupJobs(this, generator.fork('backup jobs'));
    this.flexBackups = new FlexBackups(this, generator.fork('flex backups'));
    this.compliance = new Compliance(this);
  }

  /** Every collection of this state by its name: what a picture of the world holds. */
  get collections(): Readonly<Record<string, Collection>> {
    const { orgs, projects, accounts } = this;
    const parts = {
      apiKeys: this.apiKeys,
      events: this.events,
      alerts: this.alerts,
      networking: this.networking,
      access: this.access,
      cloudManager: this.cloudManager,
      clusters: this.clusters,
      searchIndexes: this.searchIndexes,
      onlineArchives: this.onlineArchives,
      migrations: this.migrations,
      backups: this.backups,
      backupJobs: this.backupJobs,
      flexBackups: this.flexBackups,
      compliance: this.compliance,
    };
    const named = Object.entries(parts).flatMap(([part, { collections }]) =>
      Object.entries(collections).map(([name, collection]): [string, Collection] => [`${part} ${name}`, collection]),
    );
    return { orgs, projects, accounts, tokens: this.#tokens, ...Object.fromEntries(named) };
  }

  /** Now, in whole seconds: all the precision Atlas's dates have. */
  now(): Date {
    return wholeSeconds(this.#clock.now());
  }

  addOrg({
    name,
    maxSecretValidityHours = this.#maxSecretValidityHours,
  }: Pick<Organization, 'name'> & Partial<Pick<Organization, 'maxSecretValidityHours'>>): Organization {
    const org = { id: this.#generator.hex(24), name, maxSecretValidityHours };
    this.orgs.set(org.id, org);
    return org;
  }

  addProject(org: Organization, { name, tags = [] }: Pick<Project, 'name' | 'tags'>): Project {
    const project = { id: this.#generator.hex(24), orgId: org.id, createdAt: this.now(), name, tags };
    this.projects.set(project.id, project);
    return project;
  }

  addOrgAccount(
    org: Organization,
    { name, roles, description }: { name: string; roles: readonly OrgRole[]; description?: string },
  ): ServiceAccount {
    const account: ServiceAccount = {
      clientId: `mdb_sa_id_${this.#generator.hex(24)}`,
      orgId: org.id,
      createdAt: this.now(),
      name,
      description,
      orgRoles: [...roles],
      groupRoles: new Map(),
      secrets: [],
      accessList: [],
    };
    this.accounts.set(account.clientId, account);
    return account;
  }

  /** An account made in a project; Atlas makes it a member of the project's organization too. */
  addProjectAccount(
    project: Project,
    { name, roles, description }: { name: string; roles: readonly GroupRole[]; description?: string },
  ): ServiceAccount {
    const account = this.addOrgAccount(this.org(project.orgId), {
      name,
      roles: ['ORG_MEMBER'],
      ...(description !== undefined && { description }),
    });
    this.assign(account, project, roles);
    return account;
  }

  addApiKey(org: Organization, key: { roles: readonly OrgRole[]; accessList?: string[] }): ApiKey {
    return this.apiKeys.add(org, key);
  }

  addCloudManagerProject(org: Organization, project: NewCloudManagerProject): CloudManagerProject {
    return this.cloudManager.add(org, project);
  }

  /** Gives the caller roles in one more project, or other roles in one it already reaches. */
  assign(account: Caller, project: Project, roles: readonly GroupRole[]): void {
    account.groupRoles.set(project.id, [...roles]);
  }

  /** Places a secret as it is, past dates included, without shortening the others. */
  addSecret(account: ServiceAccount, { hours = 8760, createdAt, expiresAt, lastUsedAt }: SecretTimes = {}): Secret {
    if (account.secrets.length >= SECRETS_PER_ACCOUNT) throw new Error('the account already has two secrets');
    const created = wholeSeconds(createdAt ?? this.#clock.now());
    const secret: Secret = {
      id: this.#generator.hex(24),
      value: `mdb_sa_sk_${this.#generator.token(40)}`,
      createdAt: created,
      expiresAt: wholeSeconds(expiresAt ?? new Date(created.getTime() + hours * HOUR_MS)),
      lastUsedAt: lastUsedAt && wholeSeconds(lastUsedAt),
    };
    account.secrets.push(secret);
    return secret;
  }

  /** What the API does on create: adds a secret, and no other one outlives it by more than 7 days from now. */
  mintSecret(account: ServiceAccount, hours: number): Secret {
    const latest = new Date(this.now().getTime() + SHORTENED_TO_MS);
    const others = [...account.secrets];
    const secret = this.addSecret(account, { hours });
    for (const other of others) if (other.expiresAt > latest) other.expiresAt = latest;
    return secret;
  }

  /** Deletes the secret; tokens minted from it are dead from then on. Says whether there was one. */
  revokeSecret(account: ServiceAccount, secretId: string): boolean {
    const at = account.secrets.findIndex((secret) => secret.id === secretId);
    if (at === -1) return false;
    account.secrets.splice(at, 1);
    return true;
  }

  org(id: string): Organization {
    return known(this.orgs.get(id), id);
  }

  account(clientId: string): ServiceAccount {
    return known(this.accounts.get(clientId), clientId);
  }

  /** The account's secret with this value, if it would be accepted now. */
  usableSecret(clientId: string, value: string): Secret | undefined {
    return this.accounts.get(clientId)?.secrets.find((secret) => secret.value === value && this.#isFresh(secret));
  }

  /** Whether a token could be minted with these credentials now. */
  isUsable(clientId: string, value: string): boolean {
    return this.usableSecret(clientId, value) !== undefined;
  }

  addToken(account: ServiceAccount, secret: Secret): Token {
    const issuedAt = this.now();
    const expiresAt = new Date(issuedAt.getTime() + TOKEN_LIFETIME_MS);
    secret.lastUsedAt = issuedAt;
    const claims = {
      sub: account.clientId,
      cid: account.clientId,
      jti: this.#generator.token(22),
      iat: issuedAt.getTime() / 1000,
      exp: expiresAt.getTime() / 1000,
    };
    const value = jwt(claims, this.#generator.token(176));
    const token = { value, clientId: account.clientId, secretId: secret.id, expiresAt };
    this.#tokens.set(value, token);
    return token;
  }

  /** Tokens of the account that would be accepted now. */
  liveTokens(clientId: string): Token[] {
    return [...this.#tokens.values()].filter((token) => token.clientId === clientId && this.#isLive(token));
  }

  /** The account a bearer token stands for, as long as token and secret are alive. */
  bearer(value: string): ServiceAccount | undefined {
    const token = this.#tokens.get(value);
    return token && this.#isLive(token) ? this.accounts.get(token.clientId) : undefined;
  }

  /** Ends a token of this account; a token of another account, or none, is left as it is. */
  revokeToken(clientId: string, value: string): void {
    if (this.#tokens.get(value)?.clientId === clientId) this.#tokens.delete(value);
  }

  projectsOf(org: Organization): Project[] {
    return [...this.projects.values()].filter((project) => project.orgId === org.id);
  }

  /** Projects the account may read. */
  projectsSeenBy(account: Caller): Project[] {
    return this.projectsOf(this.org(account.orgId)).filter((project) =>
      meetsInGroup('Project Read Only', account.groupRoles.get(project.id) ?? [], account.orgRoles),
    );
  }

  #isFresh(secret: Secret): boolean {
    return secret.expiresAt > this.#clock.now();
  }

  #isLive(token: Token): boolean {
    const secret = this.accounts.get(token.clientId)?.secrets.find(({ id }) => id === token.secretId);
    return secret !== undefined && this.#isFresh(secret) && token.expiresAt > this.#clock.now();
  }
}

function known<T>(value: T | undefined, id: string): T {
  if (value === undefined) throw new Error(`the sandbox has no ${id}`);
  return value;
}
