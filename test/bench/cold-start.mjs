// One cold start, in plain JavaScript so that nothing but the bundle is loaded: imports it, calls the handler once, and
// prints how long each took, in milliseconds, the process's own start included in `ready`.
const [bundle, event] = process.argv.slice(2);
const started = performance.now();
const { handler } = await import(bundle);
const imported = performance.now();
const end = Date.now() + 300_000;
await handler(JSON.parse(event), {
  awsRequestId: 'bench',
  functionName: 'bench',
  getRemainingTimeInMillis: () => end - Date.now(),
});
const called = performance.now();
process.stderr.write(JSON.stringify({ import: imported - started, call: called - imported, ready: called }));
process.exit();
