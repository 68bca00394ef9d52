/**
 * The least a rotation's first step could be, to be measured: as many calls, by the SDK and undici, built as it is. It
 * checks nothing, tells nobody, and would leave a secret behind where its last call fails.
 */
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { Agent, request } from 'undici';

const LOOKS = 7;
const secrets = new SecretsManagerClient({});
const dispatcher = new Agent();

export const handler = async ({ SecretId, ClientRequestToken }: Record<'SecretId' | 'ClientRequestToken', string>) => {
  const origin = process.env['MONGODB_ATLAS_BASE_URL'];
  await secrets.send(new DescribeSecretCommand({ SecretId }));
  const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId }));
  const held = JSON.parse(SecretString);
  const issued = await request(`${origin}/api/oauth/token`, {
    dispatcher,
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${held.clientId}:${held.clientSecret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
    },
    body: 'grant_type=client_credentials',
  });
  const { access_token } = JSON.parse(await issued.body.text());
  const account = `${origin}/api/atlas/v2/orgs/${held.orgId}/serviceAccounts/${held.clientId}`;
  const headers = {
    authorization: `Bearer ${access_token}`,
    'content-type': 'application/json',
    accept: 'application/vnd.atlas.2024-08-05+json',
  };
  for (let look = 1; look <= LOOKS; look++) {
    if (look % 3 > 0) await secrets.send(new DescribeSecretCommand({ SecretId }));
    else await (await request(account, { dispatcher, method: 'GET', headers })).body.text();
  }
  const made = await request(`${account}/secrets`, {
    dispatcher,
    method: 'POST',
    headers,
    body: JSON.stringify({ secretExpiresAfterHours: 2_160 }),
  });
  const minted = JSON.parse(await made.body.text());
  await secrets.send(
    new PutSecretValueCommand({
      SecretId,
      ClientRequestToken,
      SecretString: JSON.stringify({ ...held, clientSecret: minted.secret, secretId: minted.id }),
      VersionStages: ['AWSPENDING'],
    }),
  );
};
