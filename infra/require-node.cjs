// Plain JavaScript, so that a Node too old for everything else can still say so.
const [major] = process.versions.node.split('.').map(Number);
if (major < 24) {
  process.stderr.write(
    `Atlas Automation needs Node 24 or newer (AWS Lambda's nodejs24.x); this is ${process.version} at ${process.execPath}.\n` +
      'npm ci brings Node 24 on Linux (glibc), macOS and Windows and npm scripts use it by themselves. If it did not:\n' +
      '  - run npm ci again without --omit=optional, or\n' +
      '  - install Node 24 yourself, for example from https://nodejs.org.\n',
  );
  process.exit(2);
}
