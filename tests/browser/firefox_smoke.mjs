// node firefox_smoke.mjs FIREFOX URL TOKEN SCREENSHOT: make a REPL in JupyterLab, type, run. JSON on stdout.
// Playwright drives a Firefox of its own build only; puppeteer speaks WebDriver BiDi, which any Firefox does.

import { createRequire } from 'node:module';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const require = createRequire(new URL('../../labextension/package.json', import.meta.url));
const puppeteer = require('puppeteer-core');

const [executablePath, url, token, screenshot] = process.argv.slice(2);
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'firefox-home-')); // it writes there: never the person's own
const result = { errors: [], requests: [] };

const browser = await puppeteer.launch({
  browser: 'firefox',
  executablePath,
  headless: true,
  env: { ...process.env, HOME: home, MOZ_REMOTE_SETTINGS_DEVTOOLS: '1' }, // lets the next preference count
  extraPrefsFirefox: {
    'services.settings.server': 'data:,#remote-settings-dummy/v1', // quiet on the network: the loopback alone
    'network.dns.disablePrefetch': true,
    'network.dns.disablePrefetchFromHTTPS': true,
    'network.prefetch-next': false
  },
  timeout: 60_000,
  protocolTimeout: 60_000
});
try {
  const page = await browser.newPage();
  await page.setViewport({ width: 1400, height: 860 });
  page.on('pageerror', error => result.errors.push(error.message));
  page.on('console', message => message.type() === 'error' && result.errors.push(message.text()));
  page.on('request', request => {
    const { protocol, hostname } = new URL(request.url());
    if (!['data:', 'blob:', 'about:'].includes(protocol) && hostname !== '127.0.0.1') {
      result.requests.push(request.url());
    }
  });
  const press = async key => {
    await page.keyboard.down('Control');
    await page.keyboard.press(key);
    await page.keyboard.up('Control');
  };
  await page.goto(`${url}/lab?reset&token=${token}`, { waitUntil: 'domcontentloaded' });
  await page.waitForSelector('#jupyterlab-splash', { hidden: true, timeout: 60_000 });
  const card = 'xpath///*[contains(@class,"jp-LauncherCard")][@data-category="REPL"][normalize-space()="Python"]';
  await (await page.waitForSelector(card, { timeout: 60_000 })).click();
  const create = 'xpath///*[contains(@class,"jp-Repl-createDialog")]//button[normalize-space()="Create"]';
  await (await page.waitForSelector(create)).click();
  await page.waitForSelector('.jp-Repl-editor[data-ready="true"]', { timeout: 30_000 });
  await page.click('.jp-Repl-editor .view-lines');
  await press('a');
  await page.keyboard.type("print('hi', 6 * 7)", { delay: 5 });
  await press('Enter');
  const ended = () => /exit 0/.test(document.querySelector('.jp-Repl-consoleFoot')?.textContent ?? '');
  await page.waitForFunction(ended, { timeout: 30_000 });
  result.console = await page.$eval('.jp-Repl-console .jp-Repl-terminalHost', node => node.terminalText);
  if (screenshot) {
    await page.screenshot({ path: screenshot });
  }
} catch (error) {
  result.failure = String(error.stack ?? error);
} finally {
  await browser.close().catch(() => undefined);
  fs.rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}
console.log(JSON.stringify(result));
