import type { Generator } from '../generator.ts';
import type { Project } from '../world.ts';
import type { Provider } from './clusters.ts';

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;
/** How long Atlas takes for each step of a peering connection. */
const SETTING_UP_MS = 30 * SECOND_MS;
const TAKING_DOWN_MS = 60 * SECOND_MS;
/** AWS lets a request lapse when nobody accepts it. */
const ACCEPTANCE_MS = 7 * DAY_MS;

export interface Container {
  readonly id: string;
  readonly groupId: string;
  readonly providerName: Provider;
  atlasCidrBlock: string;
  /** One on AWS and Azure, any number on Google Cloud. */
  regions: readonly string[];
  /** What its network is called at the provider once there is one. */
  readonly network: string;
}

/** What names the other side: its attributes differ from provider to provider. */
export type PeerTarget =
  | {
      readonly providerName: 'AWS';
      readonly accepterRegionName: string;
      readonly awsAccountId: string;
      readonly routeTableCidrBlock: string;
      readonly vpcId: string;
    }
  | {
      readonly providerName: 'AZURE';
      readonly azureDirectoryId: string;
      readonly azureSubscriptionId: string;
      readonly resourceGroupName: string;
      readonly vnetName: string;
    }
  | { readonly providerName: 'GCP'; readonly gcpProjectId: string; readonly networkName: string };

export interface Peer {
  readonly id: string;
  readonly groupId: string;
  readonly containerId: string;
  /** What AWS calls the connection once it is requested there. */
  readonly connectionId: string;
  target: PeerTarget;
  requestedAt: Date;
  answered: { readonly at: Date; readonly accepted: boolean } | undefined;
  deletedAt: Date | undefined;
}

/** One vocabulary for all providers; each has its own words for these. */
export type PeerState = 'requesting' | 'waiting' | 'available' | 'rejected' | 'expired' | 'terminating' | 'gone';

/** A private endpoint of Data Federation. */
export interface PrivateEndpoint {
  readonly endpointId: string;
  readonly comment?: string;
  readonly provider?: 'AWS' | 'AZURE';
  readonly region?: string;
  readonly status?: 'PENDING' | 'OK' | 'FAILED' | 'DELETING';
}

/** An entry of a project's IP access list. */
export interface AccessListEntry {
  readonly cidrBlock: string;
  readonly ipAddress?: string;
  readonly comment?: string;
  readonly deleteAfterDate?: string;
}

/** What private endpoints of clusters connect to. */
export interface EndpointService {
  readonly id: string;
  readonly cloudProvider: Provider;
  readonly regionName: string;
  readonly status: 'INITIATING' | 'WAITING_FOR_USER' | 'AVAILABLE' | 'FAILED' | 'DELETING';
  readonly interfaceEndpoints?: readonly string[];
  readonly privateEndpoints?: readonly string[];
  readonly endpointGroupNames?: readonly string[];
}

/** Containers, peering connections, private endpoints and network modes of all projects. */
export class Networking {
  readonly containers = new Map<string, Container>();
  /** IP access lists by project id. */
  readonly accessLists = new Map<string, AccessListEntry[]>();
  /** Endpoint services of clusters by project id. */
  readonly endpointServices = new Map<string, EndpointService[]>();
  /** Private endpoints of Data Federation by project id. */
  readonly endpoints = new Map<string, PrivateEndpoint[]>();
  /** Projects in the mode "connect via peering only". */
  readonly privateIpMode = new Set<string>();
  /** Projects that may have several private endpoints in a region. */
  readonly regionalMode = new Set<string>();
  readonly #peers = new Map<string, Peer>();
  readonly #time: { now(): Date };
  readonly #generator: Generator;

  /** What a picture of this state holds. */
  get collections() {
    return {
      containers: this.containers,
      accessLists: this.accessLists,
      endpointServices: this.endpointServices,
      endpoints: this.endpoints,
      privateIpMode: this.privateIpMode,
      regionalMode: this.regionalMode,
      peers: this.#peers,
    };
  }

  constructor(time: { now(): Date }, generator: Generator) {
    this.#time = time;
    this.#generator = generator;
  }

  addContainer(project: Project, given: Pick<Container, 'providerName' | 'atlasCidrBlock' | 'regions'>): Container {
    const id = this.#generator.hex(24);
    const container = { id, groupId: project.id, network: this.#generator.hex(24), ...given };
    this.containers.set(id, container);
    return container;
  }

  /** Containers of the project, in the order they were made. */
  containersOf(project: Project): Container[] {
    return [...this.containers.values()].filter(({ groupId }) => groupId === project.id);
  }

  hasPeers(container: Container): boolean {
    return this.#live().some((peer) => peer.containerId === container.id);
  }

  /** Requests a connection; nothing is checked. */
  addPeer(container: Container, target: PeerTarget): Peer {
    const peer: Peer = {
      id: this.#generator.hex(24),
      groupId: container.groupId,
      containerId: container.id,
      connectionId: `pcx-${this.#generator.hex(17)}`,
      target,
      requestedAt: this.#time.now(),
      answered: undefined,
      deletedAt: undefined,
    };
    this.#peers.set(peer.id, peer);
    return peer;
  }

  /** Connections of the project that are not gone, in the order they were made. */
  peersOf(project: Project): Peer[] {
    return this.#live().filter(({ groupId }) => groupId === project.id);
  }

  /** What the owner of the other side does at the provider. */
  acceptPeer(peer: Peer): void {
    this.#answer(peer, true);
  }

  rejectPeer(peer: Peer): void {
    this.#answer(peer, false);
  }

  /** Asks the other side again: a changed connection is a new request. */
  requestAgain(peer: Peer, target: PeerTarget): void {
    peer.target = target;
    peer.requestedAt = this.#time.now();
    peer.answered = undefined;
  }

  terminate(peer: Peer): void {
    peer.deletedAt = this.#time.now();
  }

  /** Where the connection stands by now. */
  stateOf({ target, requestedAt, answered, deletedAt }: Peer): PeerState {
    const now = this.#time.now().getTime();
    if (deletedAt) return now - deletedAt.getTime() < TAKING_DOWN_MS ? 'terminating' : 'gone';
    if (answered) return answered.accepted ? 'available' : 'rejected';
    const age = now - requestedAt.getTime();
    if (age < SETTING_UP_MS) return 'requesting';
    // On Azure the customer grants access beforehand, so nobody is waited for.
    if (target.providerName === 'AZURE') return 'available';
    return target.providerName === 'AWS' && age >= SETTING_UP_MS + ACCEPTANCE_MS ? 'expired' : 'waiting';
  }

  #answer(peer: Peer, accepted: boolean): void {
    const state = this.stateOf(peer);
    if (state !== 'waiting') throw new Error(`the peer ${peer.id} waits for nobody: it is ${state}`);
    peer.answered = { at: this.#time.now(), accepted };
  }

  #live(): Peer[] {
    return [...this.#peers.values()].filter((peer) => this.stateOf(peer) !== 'gone');
  }
}
