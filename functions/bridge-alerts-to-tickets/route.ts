import type { Severity } from '../../lib/tickets/tickets.ts';
import { mismatch, type Traceable } from './cover.ts';
import type { GroupBy, TicketSettings } from './settings.ts';

/** Where an alert goes. */
export interface Routed {
  readonly destination: string;
  readonly route: string;
  readonly groupBy: readonly GroupBy[];
  readonly severity?: Severity | undefined;
}

export interface Routing {
  readonly targets: readonly Routed[];
  /** One sentence per rule that was looked at, in order. */
  readonly path: readonly string[];
}

/** The name of what happens where no route fits. */
export const FALLBACK = 'fallback';

/**
 * Where an alert goes, and why. Routes are asked in their order; the first that fits ends it unless it says `continue`.
 * No alert is without an answer: what no route takes goes where the fallback says, all destinations unless told.
 */
export function routeOf(settings: TicketSettings, alert: Traceable): Routing {
  const path: string[] = [];
  const targets: Routed[] = [];
  let matched = false;
  for (const route of settings.routes) {
    const why = mismatch(route.when, alert);
    if (why !== undefined) {
      path.push(`${route.name}: no, ${why}`);
      continue;
    }
    matched = true;
    path.push(`${route.name}: yes, to ${route.to.join(', ') || 'nobody'}${route.continue ? ', and on' : ''}`);
    for (const destination of route.to)
      if (!targets.some((target) => target.destination === destination))
        targets.push({
          destination,
          route: route.name,
          groupBy: route.groupBy ?? settings.groupBy,
          severity: route.severity,
        });
    if (!route.continue) return { targets, path };
  }
  if (matched) return { targets, path };
  const fallback = settings.fallback ?? settings.destinations.map(({ id }) => id);
  path.push(`${FALLBACK}: to ${fallback.join(', ') || 'nobody'}`);
  return {
    targets: fallback.map((destination) => ({ destination, route: FALLBACK, groupBy: settings.groupBy })),
    path,
  };
}
