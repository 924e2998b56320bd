/** The commands of the tree of files. */

import {
  copyIcon,
  cutIcon,
  deleteIcon,
  downloadIcon,
  editIcon,
  fileIcon,
  fileUploadIcon,
  newFolderIcon,
  pasteIcon,
  runIcon,
  terminalIcon
} from '@jupyterlab/ui-components';
import { collapseIcon } from '../widgets/icons';
import { previewOf } from '../widgets/viewer';
import type { IAction, IActionOptions } from './action';
import { Commands } from './commands';
import { TEXT } from './views';
import type { Workspace } from './workspace';

export function ofTree({ app, trans }: IActionOptions): Record<string, IAction> {
  const isAny = ({ files }: Workspace): boolean => files.selected.length > 0;
  const isFile = ({ files }: Workspace): boolean => files.row?.type === 'file';
  const preview = ({ files }: Workspace): string | null =>
    files.row?.type === 'file' ? previewOf(files.row.path, app.docRegistry) : null;
  return {
    [Commands.newFile]: {
      label: trans.__('New File…'),
      icon: fileIcon,
      run: ({ files }) => files.startCreate('file')
    },
    [Commands.newFolder]: {
      label: trans.__('New Folder…'),
      icon: newFolderIcon,
      run: ({ files }) => files.startCreate('dir')
    },
    [Commands.treeOpen]: { label: trans.__('Open'), isEnabled: isFile, run: ({ files }) => files.open() },
    [Commands.treeOpenRight]: {
      label: trans.__('Open to the Right'),
      isEnabled: isFile,
      run: ({ files }) => files.open({ split: 'right' })
    },
    [Commands.treeOpenText]: {
      label: trans.__('Open as Text'),
      isEnabled: isFile,
      run: ({ files }) => files.open({ renderer: TEXT })
    },
    [Commands.treePreview]: {
      label: trans.__('Open Preview'),
      isEnabled: workspace => preview(workspace) !== null,
      run: workspace => workspace.files.open({ renderer: preview(workspace)! })
    },
    [Commands.treeRun]: {
      label: trans.__('Run File'),
      icon: runIcon,
      isEnabled: workspace => isFile(workspace) && workspace.runs.runs.current === null,
      run: ({ files, runs }) => runs.run(files.row!.path)
    },
    [Commands.treeRename]: {
      label: trans.__('Rename…'),
      icon: editIcon,
      isEnabled: ({ files }) => files.row !== null,
      run: ({ files }) => files.startRename()
    },
    [Commands.treeDuplicate]: {
      label: trans.__('Duplicate'),
      icon: copyIcon,
      isEnabled: isAny,
      run: ({ files }) => files.duplicate()
    },
    [Commands.treeDelete]: {
      label: trans.__('Delete'),
      icon: deleteIcon,
      isEnabled: isAny,
      run: ({ files }) => files.delete()
    },
    [Commands.treeUndo]: { label: trans.__('Undo Delete'), run: ({ files }) => files.undoDelete() },
    [Commands.treeCut]: {
      label: trans.__('Cut'),
      icon: cutIcon,
      isEnabled: isAny,
      run: ({ files }) => files.cut()
    },
    [Commands.treeCopy]: {
      label: trans.__('Copy'),
      icon: copyIcon,
      isEnabled: isAny,
      run: ({ files }) => files.copy()
    },
    [Commands.treePaste]: {
      label: trans.__('Paste'),
      icon: pasteIcon,
      isEnabled: ({ files }) => files.canPaste,
      run: ({ files }) => files.paste()
    },
    [Commands.treeCopyPath]: {
      label: trans.__('Copy Path'),
      isEnabled: isAny,
      run: ({ files }) => files.copyPath()
    },
    [Commands.treeTerminal]: {
      label: trans.__('New Terminal Here'),
      icon: terminalIcon,
      run: workspace => workspace.newTerminal(workspace.tree.folder)
    },
    [Commands.treeDownload]: {
      label: trans.__('Download'),
      icon: downloadIcon,
      run: ({ files }) => files.download()
    },
    [Commands.treeUpload]: {
      label: trans.__('Upload Files…'),
      icon: fileUploadIcon,
      run: ({ files }) => files.chooseUpload(false)
    },
    [Commands.treeUploadFolder]: {
      label: trans.__('Upload a Folder…'),
      icon: fileUploadIcon,
      run: ({ files }) => files.chooseUpload(true)
    },
    [Commands.treeCollapse]: {
      label: trans.__('Collapse All Folders'),
      icon: collapseIcon,
      run: ({ tree }) => tree.model.collapseAll()
    }
  };
}
