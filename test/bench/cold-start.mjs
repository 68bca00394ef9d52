// One cold start, in plain JavaScript so that nothing but the bundle is loaded: imports it, calls the handler once for
// each event, and prints how long the import and the first call took, the process's own start included in `ready`, and
// the processor time up to then, all in milliseconds; and the most memory the process ever had, in bytes.
const [bundle, events] = process.argv.slice(2);
const started = performance.now();
const { handler } = await import(bundle);
const imported = performance.now();
const end = Date.now() + 300_000;
const context = {
  awsRequestId: 'bench',
  functionName: 'bench',
  getRemainingTimeInMillis: () => end - Date.now(),
};
const [first, ...others] = JSON.parse(events);
const answer = await handler(first, context);
const called = performance.now();
const { user } = process.cpuUsage();
for (const event of others) await handler(event, context);
const { readFileSync } = await import('node:fs');
// Linux counts in its own figure for the most memory what the process that started this one had.
const memory =
  process.platform === 'linux'
    ? Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
    : process.resourceUsage().maxRSS;
process.stderr.write(
  JSON.stringify({
    import: imported - started,
    call: called - imported,
    ready: called,
    cpu: user / 1000,
    memory: memory * 1024,
    status: answer?.statusCode ?? 200,
  }),
);
process.exit();
