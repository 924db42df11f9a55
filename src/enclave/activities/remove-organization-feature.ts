import type { removeOrganizationFeature } from '../../protocol/activities/remove-organization-feature.ts';
import type { Effect } from '../effect.ts';
import { changeFeature } from './features.ts';

export const removeOrganizationFeatureEffect: Effect<typeof removeOrganizationFeature> = (context, { name }) =>
  changeFeature(context, name, null);
