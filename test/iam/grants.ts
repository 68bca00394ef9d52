/** Policies taken apart: one grant for each action, resource and value of a condition. */
import type { Settings } from '../../infra/settings.ts';
import { secretsOf } from '../../lib/tickets/destination.ts';
import type { Policy } from './policies.ts';
import { type Call, nameOf } from './record.ts';

export interface Grant {
  readonly lambda: string;
  readonly action: string;
  readonly resource: string;
  readonly condition: { readonly key: string; readonly value: string } | undefined;
}

const listOf = <T>(value: T | readonly T[]): readonly T[] => (Array.isArray(value) ? value : [value as T]);

export const grantsOf = (lambda: string, policies: readonly Policy[]): Grant[] =>
  policies
    .flatMap(({ Statement }) => Statement)
    .filter(({ Effect }) => Effect === 'Allow')
    .flatMap(({ Action, Resource, Condition = {} }) => {
      const conditions = Object.values(Condition).flatMap((operator) =>
        Object.entries(operator).flatMap(([key, values]) => listOf(values).map((value) => ({ key, value }))),
      );
      return listOf(Action).flatMap((action) =>
        listOf(Resource).flatMap((resource) =>
          (conditions.length > 0 ? conditions : [undefined]).map((condition) => ({
            lambda,
            action,
            resource,
            condition,
          })),
        ),
      );
    });

/** IAM's patterns: `*` for any text, `?` for one character. */
export const fits = (pattern: string, text: string): boolean =>
  new RegExp(
    `^${pattern
      .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
      .replaceAll('*', '[^]*')
      .replaceAll('?', '[^]')}$`,
  ).test(text);

/** Whether a call needed this grant. */
export const serves = ({ lambda, action, resource, condition }: Grant, call: Call): boolean =>
  call.caller === lambda &&
  call.action === action &&
  fits(resource, call.resource) &&
  (condition === undefined ||
    listOf(call.context[condition.key] ?? []).some((value) => fits(condition.value, String(value))));

/** What a secret is for, by the settings that name it. */
function purposes(settings: Settings): ReadonlyMap<string, string> {
  const { atlas, rotation, migration, tickets, webhooks } = settings;
  const named = new Map<string, string>();
  const set = (text: string | undefined, purpose: string): void => {
    if (text !== undefined) named.set(nameOf(text), purpose);
  };
  for (const { fanOut } of rotation.secrets)
    for (const target of fanOut) {
      if (target.type === 'secrets-manager') set(target.secret, 'a copy');
      if (target.type === 'github-actions') set(target.tokenSecret, 'a token of GitHub');
    }
  for (const destination of tickets.destinations) for (const secret of secretsOf(destination)) set(secret, 'a tracker');
  for (const { secret } of migration.sourceSecrets) set(secret, 'a source');
  set(migration.cloudManagerCredentialsSecret, 'Cloud Manager');
  set(webhooks.atlas?.secret, 'the webhook');
  for (const credentials of Object.values(atlas.credentials)) set(credentials?.secret, 'its credentials');
  for (const { secret, adminSecret } of rotation.secrets) {
    set(adminSecret, 'an administrator');
    set(secret, 'a managed secret');
  }
  return named;
}

/** The grant in words that are the same in every deployment. */
export function inWords({ lambda, action, resource, condition }: Grant, settings: Settings): string {
  const named = purposes(settings);
  const thing = (arn: string): string => {
    const [, , service, , , ...rest] = arn.split(':');
    if (service === 'secretsmanager') return named.get(nameOf(arn)) ?? arn;
    if (service === 'kms') return rest.join(':') === 'key/own' ? 'the own key' : 'a key of secrets';
    if (service === 'ssm') return 'a parameter';
    if (service === 'securityhub') return 'Security Hub';
    return rest.join(':') || arn;
  };
  // GetItem and Query stand in one statement, over the same partitions.
  const does = /^dynamodb:(GetItem|Query)$/.test(action) ? 'dynamodb: reads' : action;
  const when =
    condition && `${condition.key} ${condition.value.startsWith('arn:') ? thing(condition.value) : condition.value}`;
  return [lambda, does, thing(resource), ...(when ? [when] : [])].join(' | ');
}
