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
import { collapseIcon } from '../widgets/buttons';
import { previewOf } from '../widgets/viewer';
import type { IAction, IActionOptions } from './action';
import { TabCommands } from './tabCommands';
import { TEXT } from './views';
import type { Workspace } from './workspace';

export function ofTree({ app, trans }: IActionOptions): Record<string, IAction> {
  const isAny = ({ files }: Workspace): boolean => files.selected.length > 0;
  const isFile = ({ files }: Workspace): boolean => files.row?.type === 'file';
  const preview = ({ files }: Workspace): string | null =>
    files.row?.type === 'file' ? previewOf(files.row.path, app.docRegistry) : null;
  return {
    [TabCommands.newFile]: {
      label: trans.__('New File…'),
      icon: fileIcon,
      run: ({ files }) => files.startCreate('file')
    },
    [TabCommands.newFolder]: {
      label: trans.__('New Folder…'),
      icon: newFolderIcon,
      run: ({ files }) => files.startCreate('dir')
    },
    [TabCommands.treeOpen]: { label: trans.__('Open'), isEnabled: isFile, run: ({ files }) => files.open() },
    [TabCommands.treeOpenRight]: {
      label: trans.__('Open to the Right'),
      isEnabled: isFile,
      run: ({ files }) => files.open({ split: 'right' })
    },
    [TabCommands.treeOpenText]: {
      label: trans.__('Open as Text'),
      isEnabled: isFile,
      run: ({ files }) => files.open({ renderer: TEXT })
    },
    [TabCommands.treePreview]: {
      label: trans.__('Open Preview'),
      isEnabled: workspace => preview(workspace) !== null,
      run: workspace => workspace.files.open({ renderer: preview(workspace)! })
    },
    [TabCommands.treeRun]: {
      label: trans.__('Run File'),
      icon: runIcon,
      isEnabled: workspace => isFile(workspace) && workspace.runs.runs.current === null,
      run: ({ files, runs }) => runs.run(files.row!.path)
    },
    [TabCommands.treeRename]: {
      label: trans.__('Rename…'),
      icon: editIcon,
      isEnabled: ({ files }) => files.row !== null,
      run: ({ files }) => files.startRename()
    },
    [TabCommands.treeDuplicate]: {
      label: trans.__('Duplicate'),
      icon: copyIcon,
      isEnabled: isAny,
      run: ({ files }) => files.duplicate()
    },
    [TabCommands.treeDelete]: {
      label: trans.__('Delete'),
      icon: deleteIcon,
      isEnabled: isAny,
      run: ({ files }) => files.delete()
    },
    [TabCommands.treeUndo]: { label: trans.__('Undo Delete'), run: ({ files }) => files.undoDelete() },
    [TabCommands.treeCut]: {
      label: trans.__('Cut'),
      icon: cutIcon,
      isEnabled: isAny,
      run: ({ files }) => files.cut()
    },
    [TabCommands.treeCopy]: {
      label: trans.__('Copy'),
      icon: copyIcon,
      isEnabled: isAny,
      run: ({ files }) => files.copy()
    },
    [TabCommands.treePaste]: {
      label: trans.__('Paste'),
      icon: pasteIcon,
      isEnabled: ({ files }) => files.canPaste,
      run: ({ files }) => files.paste()
    },
    [TabCommands.treeCopyPath]: {
      label: trans.__('Copy Path'),
      isEnabled: isAny,
      run: ({ files }) => files.copyPath()
    },
    [TabCommands.treeTerminal]: {
      label: trans.__('New Terminal Here'),
      icon: terminalIcon,
      run: workspace => workspace.newTerminal(workspace.tree.folder)
    },
    [TabCommands.treeDownload]: {
      label: trans.__('Download'),
      icon: downloadIcon,
      run: ({ files }) => files.download()
    },
    [TabCommands.treeUpload]: {
      label: trans.__('Upload Files…'),
      icon: fileUploadIcon,
      run: ({ files }) => files.chooseUpload(false)
    },
    [TabCommands.treeUploadFolder]: {
      label: trans.__('Upload a Folder…'),
      icon: fileUploadIcon,
      run: ({ files }) => files.chooseUpload(true)
    },
    [TabCommands.treeCollapse]: {
      label: trans.__('Collapse All Folders'),
      icon: collapseIcon,
      run: ({ tree }) => tree.model.collapseAll()
    }
  };
}
