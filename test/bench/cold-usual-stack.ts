/**
 * What the bundles are measured by: the first step of a rotation as it is usually written, with middy, Powertools logger
 * and metrics, zod by name, an SDK client with its defaults and undici with its retries, in one file.
 * Five calls: DescribeSecret, GetSecretValue, a token, a new secret in Atlas, PutSecretValue. It looks at nothing before
 * it mints, unless it is asked for `AlsoLooks` further reads, and would leave a secret behind where the last call fails:
 * only its weight is of interest.
 */
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import middy from '@middy/core';
import { Agent, interceptors, request } from 'undici';
import { z } from 'zod';

const logger = new Logger({ serviceName: 'usual-stack' });
const metrics = new Metrics({ namespace: 'Usual', serviceName: 'usual-stack' });
const secrets = new SecretsManagerClient({});
const dispatcher = new Agent().compose(interceptors.retry());

const Environment = z.object({ MONGODB_ATLAS_BASE_URL: z.url() });
const Event = z.object({
  SecretId: z.string(),
  ClientRequestToken: z.string(),
  Step: z.literal('createSecret'),
  AlsoLooks: z.int().default(0),
});
const Credentials = z.object({ clientId: z.string(), clientSecret: z.string(), orgId: z.string() });
const Token = z.object({ access_token: z.string() });
const Minted = z.object({ id: z.string(), secret: z.string(), expiresAt: z.string() });

const createSecret = async (raw: unknown) => {
  const { MONGODB_ATLAS_BASE_URL: origin } = Environment.parse(process.env);
  const { SecretId, ClientRequestToken, AlsoLooks } = Event.parse(raw);
  const { VersionIdsToStages = {} } = await secrets.send(new DescribeSecretCommand({ SecretId }));
  if (!VersionIdsToStages[ClientRequestToken]) throw new Error('not a version of this secret');
  const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId }));
  const { clientId, clientSecret, orgId } = Credentials.parse(JSON.parse(SecretString));
  const issued = await request(`${origin}/api/oauth/token`, {
    dispatcher,
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
    },
    body: 'grant_type=client_credentials',
  });
  const { access_token } = Token.parse(await issued.body.json());
  const account = `${origin}/api/atlas/v2/orgs/${orgId}/serviceAccounts/${clientId}`;
  const headers = {
    authorization: `Bearer ${access_token}`,
    'content-type': 'application/json',
    accept: 'application/vnd.atlas.2024-08-05+json',
  };
  for (let look = 1; look <= AlsoLooks; look++) {
    if (look % 3 > 0) await secrets.send(new DescribeSecretCommand({ SecretId }));
    else await (await request(account, { dispatcher, headers })).body.json();
  }
  const made = await request(`${account}/secrets`, {
    dispatcher,
    method: 'POST',
    headers,
    body: JSON.stringify({ secretExpiresAfterHours: 2_160 }),
  });
  const minted = Minted.parse(await made.body.json());
  await secrets.send(
    new PutSecretValueCommand({
      SecretId,
      ClientRequestToken,
      SecretString: JSON.stringify({ clientId, clientSecret: minted.secret, orgId, secretId: minted.id }),
      VersionStages: ['AWSPENDING'],
    }),
  );
  logger.info('minted', { secretId: minted.id });
  metrics.addMetric('Minted', MetricUnit.Count, 1);
  metrics.publishStoredMetrics();
};

export const handler = middy().handler(createSecret);
