/** The plugins. */

import { launcher } from './plugins/launcher';
import { open } from './plugins/open';
import { settings } from './plugins/settings';

export default [launcher, open, settings];
