// node neighbour.mjs chrome|firefox EXECUTABLE SERVICE COOKIES: what a page of a neighbour's can do on the service's origin with
// the cookies of a visitor. JSON on stdout: for each attack whether it succeeds.
// puppeteer drives both browsers as they are on this machine; Playwright drives a Firefox of its own build only.

import { createRequire } from 'node:module';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const require = createRequire(new URL('../../labextension/package.json', import.meta.url));
const puppeteer = require('puppeteer-core');

const [kind, executablePath, service, cookies] = process.argv.slice(2);
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'neighbour-home-')); // it writes there: never the person's own
const isFirefox = kind === 'firefox';
const browser = await puppeteer.launch({
  browser: kind,
  executablePath,
  headless: true,
  args: isFirefox ? [] : ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-popup-blocking'],
  env: { ...process.env, HOME: home, MOZ_REMOTE_SETTINGS_DEVTOOLS: '1' },
  ...(isFirefox
    ? {
        extraPrefsFirefox: {
          'services.settings.server': 'data:,#remote-settings-dummy/v1',
          'dom.disable_open_during_load': false
        }
      }
    : {}),
  timeout: 60_000,
  protocolTimeout: 60_000
});
const result = {};
try {
  const page = await browser.newPage();
  // Any other address of the origin: what a neighbour's server serves there.
  await page.goto(new URL('/user/neighbour/page', service).href);
  await page.evaluate(cookies => {
    for (const { name, value, path } of cookies) {
      document.cookie = `${name}=${value}; path=${path}`;
    }
  }, JSON.parse(cookies));
  Object.assign(
    result,
    await page.evaluate(async base => {
      const status = answer => answer.then(({ status }) => status, () => 0);
      const body = JSON.stringify({ replId: 'planted', language: 'python' });
      const xsrfOf = document => /\b_xsrf=([^;]*)/.exec(document?.cookie ?? '')?.[1] ?? '';
      const seen = {};
      seen.reads = (await status(fetch(`${base}/repl/project`))) === 200;
      const frame = document.createElement('iframe');
      frame.src = `${base}/nothing`;
      const loaded = new Promise(done => ((frame.onload = done), setTimeout(done, 3000)));
      document.body.append(frame);
      await loaded;
      let framed = null;
      try {
        framed = frame.contentDocument;
      } catch {
        // refused, and another origin by that
      }
      seen.frames = !!framed && framed.URL.includes('/services/repl/') && xsrfOf(framed) !== '';
      const popup = window.open(`${base}/nothing`);
      let xsrf = '';
      for (let turn = 0; turn < 40 && !xsrf; turn++) {
        await new Promise(done => setTimeout(done, 100));
        try {
          xsrf = xsrfOf(popup?.document);
        } catch {
          break;
        }
      }
      popup?.close();
      seen.hasXsrf = xsrf !== '';
      const headers = { 'X-XSRFToken': xsrf, 'Content-Type': 'application/json' };
      const posted = await status(fetch(`${base}/repl/project`, { method: 'POST', body, headers }));
      seen.writes = posted === 201 || posted === 409;
      seen.connects = await new Promise(done => {
        const url = `${base.replace('http', 'ws')}/repl/project/none/channel`;
        const socket = new WebSocket(url, ['jupyter-repl.v1']);
        socket.onopen = () => done(true);
        socket.onerror = () => done(false);
        setTimeout(() => done(false), 5000);
      });
      return seen;
    }, service)
  );
} catch (error) {
  result.failure = String(error.stack ?? error);
} finally {
  await browser.close();
  fs.rmSync(home, { recursive: true, force: true });
}
console.log(JSON.stringify(result));
