/** The plugins. */

import { launcher } from './plugins/launcher';
import { open } from './plugins/open';
import { projects } from './plugins/projects';
import { settings } from './plugins/settings';

export default [projects, launcher, open, settings];
