/** The plugins. */

import { launcher } from './plugins/launcher';
import { open } from './plugins/open';
import { projects } from './plugins/projects';

export default [projects, launcher, open];
