import type { Route } from '../http/route.ts';
import { absentRoutes } from './absent.ts';
import { archiveRoutes } from './archive.ts';
import { commitRoutes } from './commit.ts';
import { containerStreamRoutes } from './container-streams.ts';
import { containerRoutes } from './containers.ts';
import { copyInPlaceRoutes } from './copy-in-place.ts';
import { execRoutes } from './execs.ts';
import { exportRoutes } from './export.ts';
import { imageRoutes } from './images.ts';
import { networkRoutes } from './networks.ts';
import { planRoutes } from './plans.ts';
import { systemRoutes } from './system.ts';
import { volumeRoutes } from './volumes.ts';
import { wharfRoutes } from './wharf.ts';

/** The whole API. */
export const ROUTES: readonly Route[] = [
  ...systemRoutes,
  ...containerRoutes,
  ...containerStreamRoutes,
  ...archiveRoutes,
  ...commitRoutes,
  ...exportRoutes,
  ...execRoutes,
  ...imageRoutes,
  ...volumeRoutes,
  ...networkRoutes,
  ...copyInPlaceRoutes,
  ...wharfRoutes,
  ...planRoutes,
  ...absentRoutes,
];
