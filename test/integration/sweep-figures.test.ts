/** What the sweep's own alarms look at, as the built bundle puts it out. */
import { expect, it } from 'vitest';
import { startRotationWorld } from '../support/rotation-world.ts';

it('tells how many hours are left to the secret that ends first', async () => {
  let output = '';
  await using world = await startRotationWorld({ onOutput: (text) => (output += text) });
  const subject = await world.seed({ mode: 'self', scope: 'org', second: 'none' });
  await world.rotate(subject);
  const { swept } = (await world.machine.sweep.invoke({ secrets: [subject.arn] })) as {
    swept: { expiresAt: string }[];
  };
  const hours = output
    .split('\n')
    .filter((line) => line.includes('"HoursToSecretEnd":'))
    .map((line) => JSON.parse(line))
    .map(({ HoursToSecretEnd, service }) => [service, HoursToSecretEnd]);
  expect(hours).toEqual([['sweep-service-account-secrets', expect.any(Number)]]);
  const left = (Date.parse(swept[0]?.expiresAt ?? '') - Date.now()) / 3_600_000;
  expect(Math.abs(hours[0]?.[1] - left)).toBeLessThan(0.1);
});
