import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The browser of this machine; `CHROMIUM` says where one is that is not on the path. */
function browserPath(): string {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  const candidates = [
    process.env['CHROMIUM'] ?? '',
    ...NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name))),
  ];
  const found = candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return path.isAbsolute(file);
    } catch {
      return false;
    }
  });
  if (found === undefined)
    throw new Error('there is no Chromium on the path: install it, or say where it is with CHROMIUM');
  return found;
}

export interface View {
  readonly width?: number;
  readonly scheme?: 'light' | 'dark';
  readonly script?: boolean;
}

/** A page that was opened from a file, and all that it did beyond showing itself. */
export interface Opened extends AsyncDisposable {
  readonly page: Page;
  /** Errors, warnings and messages on the console, and exceptions nobody caught. */
  readonly complaints: readonly string[];
  /** Addresses it asked for, itself left out. */
  readonly requests: readonly string[];
  /** From the start of opening it until the caller has it, in milliseconds. */
  readonly tookMs: number;
}

export interface Chromium extends AsyncDisposable {
  readonly version: string;
  /** Opens a page from a file and waits until its script is done, where it has one that may run. */
  open(text: string, view?: View): Promise<Opened>;
  /** Goes to an address, and waits until the page is there. */
  visit(address: string, view?: View): Promise<Opened>;
}

export async function startChromium(): Promise<Chromium> {
  const browser: Browser = await puppeteer.launch({
    executablePath: browserPath(),
    // As root, which CI is, Chromium starts without its sandbox or not at all; it opens files of this suite alone.
    args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), '--disable-dev-shm-usage'],
  });
  const folder = await mkdtemp(path.join(tmpdir(), 'pages-'));
  let files = 0;
  async function visit(
    href: string,
    { width = 1280, scheme = 'light', script = true }: View = {},
    untilReady: (page: Page) => Promise<unknown> = async () => {},
  ): Promise<Opened> {
    const page = await browser.newPage();
    const complaints: string[] = [];
    const requests: string[] = [];
    page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) =>
      complaints.push(`error: ${error instanceof Error ? error.message : String(error)}`),
    );
    page.on('dialog', (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (request.url() !== href) requests.push(request.url());
    });
    await page.setJavaScriptEnabled(script);
    await page.setViewport({ width, height: 900 });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    const start = performance.now();
    await page.goto(href);
    await untilReady(page);
    return {
      page,
      complaints,
      requests,
      tookMs: performance.now() - start,
      [Symbol.asyncDispose]: () => page.close(),
    };
  }
  return {
    version: await browser.version(),
    async open(text, view = {}) {
      const file = path.join(folder, `${++files}.html`);
      await writeFile(file, text);
      return visit(pathToFileURL(file).href, view, async (page) => {
        if (view.script !== false && text.includes('id="index"'))
          await page.waitForSelector('html[data-ready]', { timeout: 30_000 });
      });
    },
    visit: (address, view) => visit(address, view),
    async [Symbol.asyncDispose]() {
      // One that does not end by itself is ended: a child of it that holds its output keeps the call waiting for ever.
      const ended = await Promise.race([browser.close().then(() => true), setTimeout(10_000, false, { ref: false })]);
      if (!ended) browser.process()?.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
