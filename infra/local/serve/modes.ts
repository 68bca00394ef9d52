/** What `npm run serve` was asked for. */
export interface Asked {
  /** The origin of the real Atlas; undefined for the sandbox. */
  readonly atlas: string | undefined;
  readonly dryRun: boolean;
  /** The folder its state is kept in; a dry run keeps nothing. */
  readonly data: string;
}

/** In plain words: which parts are real, and which are on this machine. */
export function partsOf({ atlas, dryRun, data }: Asked): string[] {
  return [
    atlas === undefined
      ? 'Atlas: a sandbox on this machine, filled with an example.'
      : `Atlas: REAL, at ${atlas}, with the credentials in the data folder, or from the environment where it has none.`,
    'AWS: embedded in this process. For AWS itself, deploy the stack: npm run deploy.',
    'Ticket systems: a sandbox on this machine, whatever the settings say.',
    dryRun
      ? `State: as it is in ${data}, and left as it is: what comes of this run is gone when it ends.`
      : `State: kept in ${data}, readable by you alone: secrets are in it.`,
    ...(dryRun ? ['Dry run: schedules ask for dry runs; events, webhooks and the queue start nothing.'] : []),
  ];
}

/** What somebody has to agree to first; undefined where nothing real is changed. */
export function agreementFor({ atlas, dryRun }: Asked): string | undefined {
  if (atlas === undefined || dryRun) return undefined;
  return `This may change things at ${atlas}: it acknowledges alerts whose ticket somebody takes, and carries out what you run by hand. Say --yes to go ahead, or --dry-run to look first.`;
}
