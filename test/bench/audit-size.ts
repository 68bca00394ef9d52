/** What the processes of the audit bench tell each other. */
export const TABLE = 'bench-state';
export const REPORTS = 'bench-reports';
export const CREDENTIALS = 'bench/atlas';

export interface Size {
  readonly projects: number;
  readonly clusters: number;
  readonly medianMs: number;
}

export interface Address {
  readonly atlas: string;
  readonly aws: string;
  readonly token: { readonly clientId: string; readonly clientSecret: string };
  readonly orgId: string;
}

export interface Counted {
  readonly calls: Readonly<Record<string, number>>;
  readonly throttled: number;
  /** What an answer took on average, in milliseconds. */
  readonly meanMs: number;
  /** What playing Atlas and AWS cost, in seconds of CPU. */
  readonly cpuSeconds: number;
}

export interface Measured {
  readonly ms: number;
  readonly maxRssMb: number;
  /** Of this process alone. */
  readonly cpuSeconds: number;
  readonly error: string | undefined;
  readonly audits: readonly {
    readonly mode: string;
    readonly exitState: string;
    readonly coverage: { readonly clusters: number; readonly percent: number };
    readonly cost: {
      readonly calls: number;
      readonly throttled: number;
      readonly waitedMs: number;
      readonly tookMs: number;
    };
  }[];
}
