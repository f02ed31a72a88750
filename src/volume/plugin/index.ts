export { type PluginFolders, SYSTEM_PLUGIN_FOLDERS } from './discover.ts';
export { openPlugins, type Plugins } from './plugins.ts';
