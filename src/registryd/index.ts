export { collectRegistry } from './collect.ts';
export { type ServeOptions, serveRegistry } from './serve.ts';
export {
  type CollectRequest,
  openRegistryService,
  type RegistryService,
  type RegistryServiceOptions,
} from './service.ts';
export { parseRegistrySettings, type RegistrySettings } from './settings.ts';
export { SETTINGS, type SettingSpec } from './types.ts';
export { checkUserName, checkUsersFolder, listUsers, removeUsers, setUser } from './users.ts';
