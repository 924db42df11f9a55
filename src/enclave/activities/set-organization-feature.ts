import type { setOrganizationFeature } from '../../protocol/activities/set-organization-feature.ts';
import type { Effect } from '../effect.ts';
import { changeFeature } from './features.ts';

export const setOrganizationFeatureEffect: Effect<typeof setOrganizationFeature> = (context, { name, value }) =>
  changeFeature(context, name, value);
