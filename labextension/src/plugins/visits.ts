/** Shows the names of visitors to the owner of a REPL, and the name of the owner to a visitor. */

import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Channel } from '../api/channel';
import type { Rest } from '../api/rest';
import type { ReplModel } from '../model/repl';
import { splitKey } from '../model/replKey';
import type { Banner } from '../widgets/banner';
import { notify } from '../widgets/notices';

export interface IVisited {
  rest: Rest;
  key: string;
  trans: TranslationBundle;
}

export function followVisits(repl: ReplModel, banner: Banner, { rest, key, trans }: IVisited): void {
  const ownerName = async (): Promise<string> =>
    (await rest.project(key).catch(() => null))?.ownerName ?? splitKey(key).owner;
  let shown = '';
  let known = '';
  const tell = (names: string[]): void => {
    const text = names.join(', ');
    if (text !== known) {
      known = text;
      Notification.dismiss(shown);
      shown = text && notify('info', trans.__('Looking at this REPL: %1', text), { autoClose: false }, trans);
    }
  };
  repl.connected.connect((_, connection) => {
    const channel = connection as Channel;
    const { readOnly, visitors } = channel.loaded;
    if (readOnly) {
      void ownerName().then(name =>
        banner.say(
          'info',
          trans.__('This is a REPL of %1. You can look at it, and change nothing.', name),
          []
        )
      );
      return;
    }
    tell(visitors ?? []);
    channel.event.connect((_, { event, data }) => {
      if (event === 'visitors') {
        tell(data!.names as string[]);
      }
    });
  });
}
