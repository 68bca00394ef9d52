import type { App } from 'aws-cdk-lib';
import { ConfigError } from '../lib/errors.ts';
import { DataStack } from './data-stack.ts';
import { NetworkStack } from './network-stack.ts';
import type { Settings, StagedSettings } from './settings.ts';
import { AutomationStack, needsData } from './stack.ts';

/** The stacks of one stage. */
export interface Deployment {
  readonly functions: AutomationStack;
  readonly data: DataStack | undefined;
  readonly network: NetworkStack | undefined;
}

/**
 * Puts the stacks of one stage into the app: the functions, what they remember where they remember anything, and the
 * network they reach the internet through where the settings ask for one. `bundles` is what `npm run build` wrote.
 */
export function addDeployment(app: App, { stage, settings }: StagedSettings, bundles: string): Deployment {
  const id = (name: string): string => (stage === undefined ? name : `${name}-${stage}`);
  const data = needsData(settings) ? new DataStack(app, id('AtlasAutomationData'), settings) : undefined;
  const network = settings.egress
    ? new NetworkStack(app, id('AtlasAutomationNetwork'), { stack: settings.stack, egress: settings.egress })
    : undefined;
  const functions = new AutomationStack(app, id('AtlasAutomation'), {
    settings,
    bundles,
    ...(data && { data }),
    ...(network && { network }),
  });
  return { functions, data, network };
}

/**
 * Refuses, by ConfigError, to go on with credentials of another account, or another region, than the settings name. The
 * CDK tells the app of both where there are credentials; without any, nothing can be deployed, and nothing is refused.
 */
export function refuseElsewhere(
  { stack }: Settings,
  here: { readonly account: string | undefined; readonly region: string | undefined },
): void {
  if (stack.account === undefined || here.account === undefined) return;
  const problems = (['account', 'region'] as const).flatMap((key) =>
    here[key] === stack[key]
      ? []
      : [{ path: `stack.${key}`, problem: `is ${stack[key]}, and the credentials at hand are for ${here[key]}` }],
  );
  if (problems.length > 0)
    throw new ConfigError(
      `The settings of ${stack.name} are for another place than the credentials at hand.`,
      problems,
    );
}
