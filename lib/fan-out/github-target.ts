import * as z from 'zod';
import type { SecretsManager } from '../aws/secrets-manager.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Deadline } from '../runtime/deadline.ts';
import { parseJson } from '../runtime/json.ts';
import type { Acknowledgements } from './acknowledgements.ts';
import type { GitHubClient, GitHubRequest } from './github-client.ts';
import { type TargetOf, targetName } from './settings.ts';
import { FanOutFailed, type Target } from './target.ts';

interface Surroundings {
  readonly github: GitHubClient;
  readonly secretsManager: SecretsManager;
  readonly acknowledgements: Acknowledgements;
  readonly clock: Clock;
}

const PublicKey = z.object({ key_id: z.string().min(1), key: z.base64().length(44) });
const Metadata = z.object({ updated_at: z.string().min(1) });
const TokenValue = z.object({ token: z.string().min(1) });

/**
 * A secret of GitHub Actions. GitHub never shows a value: what is remembered is the version, and the date GitHub gave
 * the secret when it got it. Another date means that somebody wrote another value since; two writes within one second
 * share their date.
 * Source: https://docs.github.com/en/rest/actions/secrets
 */
export function createGitHubTarget(
  settings: TargetOf<'github-actions'>,
  { github, secretsManager, acknowledgements, clock }: Surroundings,
): Target {
  const { repository, organization, environment, tokenSecret, visibility, selectedRepositoryIds } = settings;
  const name = targetName(settings);
  const facts = { target: name };
  const folder =
    repository === undefined
      ? `/orgs/${encodeURIComponent(organization ?? '')}/actions/secrets`
      : environment === undefined
        ? `/repos/${repository}/actions/secrets`
        : `/repos/${repository}/environments/${encodeURIComponent(environment)}/secrets`;
  const file = `${folder}/${settings.name.toUpperCase()}`;

  async function send(request: Omit<GitHubRequest, 'token'>, deadline: Deadline) {
    const text = (await secretsManager.read(tokenSecret, { stage: 'AWSCURRENT' }, deadline)) ?? '';
    const token = text.trimStart().startsWith('{') ? TokenValue.safeParse(parseJson(text)).data?.token : text.trim();
    // Whatever can't stand in a header is no token, and must not end in an error that quotes it.
    if (!token || !/^[\x21-\x7e]+$/.test(token))
      throw new FanOutFailed('FAN_OUT_TOKEN_UNREADABLE', `${tokenSecret} holds no GitHub token`, {
        ...facts,
        tokenSecret,
      });
    return github.send({ ...request, token }, deadline);
  }

  /** When GitHub last got a value for the secret, in its own words; undefined where there is no such secret. */
  async function updatedAt(deadline: Deadline): Promise<string | undefined> {
    const { status, json } = await send({ method: 'GET', path: file }, deadline);
    if (status === 404) return undefined;
    return expected(Metadata, status, json).updated_at;
  }

  function expected<Schema extends z.ZodType>(schema: Schema, status: number, json: unknown): z.output<Schema> {
    const parsed = schema.safeParse(json);
    if (status < 300 && parsed.success) return parsed.data;
    const problem =
      status === 404 ? 'knows no such place, or the token does not reach it' : `answered ${status} in unknown words`;
    throw new FanOutFailed('FAN_OUT_REFUSED', `GitHub ${problem}`, { ...facts, status });
  }

  return {
    name,

    async holds({ secretArn, versionId }, deadline) {
      const known = await acknowledgements.read(name, secretArn, deadline);
      if (known?.versionId !== versionId || known.acknowledgedAt === undefined) return false;
      return (await updatedAt(deadline)) === known.mark;
    },

    async deliver({ secretArn, versionId, value }, deadline) {
      await acknowledgements.requested(name, { secretArn, versionId }, clock.now(), deadline);
      const answered = await send({ method: 'GET', path: `${folder}/public-key` }, deadline);
      const key = expected(PublicKey, answered.status, answered.json);
      const put = await send(
        {
          method: 'PUT',
          path: file,
          body: {
            encrypted_value: await sealed(value, key.key),
            key_id: key.key_id,
            ...(visibility && { visibility }),
            ...(selectedRepositoryIds && { selected_repository_ids: selectedRepositoryIds }),
          },
        },
        deadline,
      );
      if (put.status >= 300)
        throw new FanOutFailed('FAN_OUT_REFUSED', `GitHub refused the secret with ${put.status}`, {
          ...facts,
          status: put.status,
        });
      const mark = await updatedAt(deadline);
      if (mark === undefined)
        throw new FanOutFailed('FAN_OUT_NOT_READ_BACK', `${name} is not there after it was written`, facts);
      await acknowledgements.acknowledged(name, { secretArn, versionId, mark }, clock.now(), deadline);
      return 'acknowledged';
    },
  };
}

/** Encrypted so that GitHub alone can read it. libsodium is large: loaded only by whoever has such a target. */
async function sealed(value: string, publicKey: string): Promise<string> {
  const { default: sodium } = await import('libsodium-wrappers');
  await sodium.ready;
  return sodium.to_base64(
    sodium.crypto_box_seal(value, new Uint8Array(Buffer.from(publicKey, 'base64'))),
    sodium.base64_variants.ORIGINAL,
  );
}
