import type { Generator } from '../generator.ts';
import type { Organization, Project } from '../world.ts';

/** A person in an organization: active, or invited. */
export interface User {
  readonly id: string;
  readonly orgId: string;
  readonly username: string;
  readonly createdAt: Date;
  readonly status: 'ACTIVE' | 'PENDING';
  readonly firstName: string;
  readonly lastName: string;
  /** Who sent the invitation. */
  readonly inviter: string;
  /** Roles by project id. */
  readonly groupRoles: Map<string, readonly string[]>;
}

/** A mapping of a group of the identity provider to roles in Atlas. */
export interface RoleMapping {
  readonly id: string;
  readonly federationSettingsId: string;
  readonly orgId: string;
  readonly externalGroupName: string;
}

/** A role at AWS that Atlas may assume. */
export interface AwsIamRole {
  readonly roleId: string;
  readonly atlasAWSAccountArn: string;
  readonly atlasAssumedRoleExternalId: string;
  readonly createdAt: Date;
  /** Both missing until the customer has authorized the role. */
  readonly authorizedAt?: Date;
  readonly iamAssumedRoleArn?: string;
}

/** One attempt to log in to a cluster. */
export interface AccessLog {
  readonly at: Date;
  readonly authResult: boolean;
  readonly authSource?: string;
  readonly username: string;
  readonly ipAddress: string;
  readonly hostname?: string;
  readonly failureReason?: string;
}

/** An integration with another service, with its keys as they were given. */
export interface Integration {
  readonly id: string;
  readonly type: string;
  readonly [attribute: string]: unknown;
}

export interface MaintenanceWindow {
  /** 1 is Sunday. */
  dayOfWeek: number;
  hourOfDay: number;
  startASAP: boolean;
  autoDeferOnceEnabled: boolean;
  numberOfDeferrals: number;
  timeZoneId: string;
}

/** Who and what may reach an organization and its projects, besides service accounts and API keys. */
export class Access {
  readonly users = new Map<string, User>();
  readonly roleMappings = new Map<string, RoleMapping>();
  /** By project id. */
  readonly awsIamRoles = new Map<string, AwsIamRole[]>();
  /** By project id. */
  readonly integrations = new Map<string, Integration[]>();
  /** By project id; a project without one has never defined any. */
  readonly maintenanceWindows = new Map<string, MaintenanceWindow>();
  readonly #logs = new Map<string, AccessLog[]>();
  readonly #time: { now(): Date };
  readonly #generator: Generator;

  /** What a picture of this state holds. */
  get collections() {
    return {
      users: this.users,
      roleMappings: this.roleMappings,
      awsIamRoles: this.awsIamRoles,
      integrations: this.integrations,
      maintenanceWindows: this.maintenanceWindows,
      logs: this.#logs,
    };
  }

  constructor(time: { now(): Date }, generator: Generator) {
    this.#time = time;
    this.#generator = generator;
  }

  addUser(org: Organization, user: Pick<User, 'username'> & Partial<Omit<User, 'id' | 'orgId' | 'createdAt'>>): User {
    const added: User = {
      id: this.#generator.hex(24),
      orgId: org.id,
      createdAt: this.#time.now(),
      status: 'ACTIVE',
      firstName: 'Jo',
      lastName: 'Doe',
      inviter: '',
      groupRoles: new Map(),
      ...user,
    };
    this.users.set(added.id, added);
    return added;
  }

  userNamed(org: Pick<Organization, 'id'>, username: string): User | undefined {
    return this.users.values().find((user) => user.orgId === org.id && user.username === username);
  }

  grant(user: User, project: Project, roles: readonly string[]): void {
    user.groupRoles.set(project.id, [...roles]);
  }

  addRoleMapping(org: Organization, federationSettingsId: string, externalGroupName: string): RoleMapping {
    const mapping = { id: this.#generator.hex(24), federationSettingsId, orgId: org.id, externalGroupName };
    this.roleMappings.set(mapping.id, mapping);
    return mapping;
  }

  addIntegration(project: Project, integration: Omit<Integration, 'id'> & { type: string }): Integration {
    const added = { ...integration, id: this.#generator.hex(24) };
    this.integrations.set(project.id, [...(this.integrations.get(project.id) ?? []), added]);
    return added;
  }

  logAccess(project: Project, clusterName: string, log: Omit<AccessLog, 'at'> & Partial<Pick<AccessLog, 'at'>>): void {
    const key = `${project.id}/${clusterName}`;
    this.#logs.set(key, [...(this.#logs.get(key) ?? []), { at: this.#time.now(), ...log }]);
  }

  /** Attempts to log in to the cluster, newest first. */
  accessLogs(project: Project, clusterName: string): AccessLog[] {
    return (this.#logs.get(`${project.id}/${clusterName}`) ?? []).toSorted((a, b) => b.at.getTime() - a.at.getTime());
  }
}
