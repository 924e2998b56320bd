/** Finds text in a terminal's output: a search field above it, with the matches marked. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { caretDownIcon, caretUpIcon, closeIcon } from '@jupyterlab/ui-components';
import type { ISearchOptions, SearchAddon } from '../xterm/load';
import { makeIconButton } from './buttons';

export class FindBar {
  /** @param _leave - moves the focus back to the terminal */
  constructor(
    node: HTMLElement,
    private readonly _search: SearchAddon,
    private readonly _leave: () => void,
    private readonly _trans: TranslationBundle
  ) {
    this._bar.className = 'jp-Repl-findBar';
    this._bar.setAttribute('role', 'search');
    this._field.placeholder = _trans.__('Find');
    this._field.setAttribute('aria-label', _trans.__('Find in the terminal'));
    this._field.oninput = () => this._find('findPrevious', true);
    this._count.setAttribute('role', 'status');
    this._bar.append(
      this._field,
      this._count,
      makeIconButton(_trans.__('Previous (Enter)'), caretUpIcon, () => this._find('findPrevious')),
      makeIconButton(_trans.__('Next (Shift+Enter)'), caretDownIcon, () => this._find('findNext')),
      makeIconButton(_trans.__('Close (Escape)'), closeIcon, () => this.close())
    );
    this._bar.onkeydown = event => this._onKey(event);
    _search.onDidChangeResults(({ resultIndex, resultCount }) => {
      this._count.textContent = resultCount ? `${resultIndex + 1}/${resultCount}` : this._none;
    });
    node.prepend(this._bar);
  }

  /** @param text - what to search for at first; empty: the last search */
  open(text: string): void {
    this._bar.hidden = false;
    if (text && !text.includes('\n')) {
      this._field.value = text;
    }
    this._field.focus();
    this._field.select();
    this._find('findPrevious', true);
  }

  close(): void {
    this._bar.hidden = true;
    this._search.clearDecorations();
    this._leave();
  }

  private _onKey(event: KeyboardEvent): void {
    if (event.key === 'Escape') {
      this.close();
    } else if (event.key === 'Enter' && event.target === this._field) {
      this._find(event.shiftKey ? 'findNext' : 'findPrevious'); // the newest output is last, so Enter searches upwards
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private _find(way: 'findNext' | 'findPrevious', incremental = false): void {
    if (!this._field.value) {
      this._search.clearDecorations();
      this._count.textContent = '';
    } else {
      this._search[way](this._field.value, { ...OPTIONS, incremental });
    }
  }

  private get _none(): string {
    return this._field.value ? this._trans.__('none') : '';
  }

  private readonly _bar = document.createElement('div');
  private readonly _field = document.createElement('input');
  private readonly _count = document.createElement('span');
}

/** Colours for light and dark themes. The addon accepts only `#rrggbb`. */
const OPTIONS: ISearchOptions = {
  decorations: {
    matchBackground: '#8a6d1f',
    matchOverviewRuler: '#8a6d1f',
    activeMatchBackground: '#c25e00',
    activeMatchColorOverviewRuler: '#c25e00'
  }
};
