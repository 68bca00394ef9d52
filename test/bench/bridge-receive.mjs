// The receiver's bundle in a process of its own: signed webhooks through its handler, so many at once. Prints the rate, the
// processor time of this process per request, and latencies; what answers it is in another process.
import { createHmac } from 'node:crypto';

const [bundle, secret, count, atOnce, alerts, clusters, project] = process.argv.slice(2);
const context = { awsRequestId: 'bench', functionName: 'bench', getRemainingTimeInMillis: () => 60_000 };
// Metrics and logs are written as in Lambda, and thrown away.
console.log = () => {};
process.stdout.write = () => true;
const { handler } = await import(bundle);

const eventOf = (nth) => {
  const now = new Date(Date.now() + Math.floor(nth / Number(alerts))).toISOString();
  const alert = nth % Number(alerts);
  const cluster = alert % Number(clusters);
  const body = JSON.stringify({
    id: alert.toString(16).padStart(24, '0'),
    // Atlas lets a project have a few dozen clusters.
    groupId: `${project.slice(0, 20)}${Math.floor(cluster / 25)
      .toString(16)
      .padStart(4, '0')}`,
    alertConfigId: 'b'.repeat(24),
    eventTypeName: 'OUTSIDE_METRIC_THRESHOLD',
    status: 'OPEN',
    clusterName: `cluster${cluster}`,
    hostnameAndPort: `cluster${cluster}-shard-00-${alert}.ab12c.mongodb.net:27017`,
    metricName: 'DISK_PARTITION_SPACE_USED_DATA',
    currentValue: { number: 95.2, units: 'RAW' },
    created: '2020-01-01T00:00:00Z',
    updated: now,
    lastNotified: now,
    humanReadable: 'Disk space used on the data partition is above 90 %',
  });
  return {
    version: '2.0',
    rawPath: '/',
    headers: {
      'content-type': 'application/json',
      'x-mms-event': nth < Number(alerts) ? 'alert.open' : 'alert.update',
      'x-mms-signature': createHmac('sha1', secret).update(body).digest('base64'),
    },
    body,
    isBase64Encoded: false,
  };
};

const run = async (events) => {
  const latencies = [];
  let next = 0;
  let failed = 0;
  const lane = async () => {
    while (next < events.length) {
      const event = events[next++];
      const began = performance.now();
      const { statusCode } = await handler(event, context);
      latencies.push(performance.now() - began);
      if (statusCode !== 202) failed++;
    }
  };
  const cpu = process.cpuUsage();
  const began = performance.now();
  await Promise.all(Array.from({ length: Number(atOnce) }, lane));
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  latencies.sort((a, b) => a - b);
  const at = (share) => latencies[Math.floor(latencies.length * share)];
  return { seconds, cpuSeconds: (user + system) / 1e6, failed, p50: at(0.5), p99: at(0.99) };
};

// The first hundreds open connections and warm the compiler: the last ones, so that none of what is measured is a repeat.
const total = Number(count);
const warm = Math.min(1000, Math.floor(total / 4));
const warmed = await run(Array.from({ length: warm }, (_, nth) => eventOf(nth)));
const measured = await run(Array.from({ length: total - warm }, (_, nth) => eventOf(nth + warm)));
process.stderr.write(JSON.stringify({ ...measured, count: total - warm, failed: measured.failed + warmed.failed }));
process.exit();
