/** Features of an organization. WEBAUTHN_ORIGINS decides where passkeys of it, and of what it will create, can be used. */
import { isIP } from 'node:net';
import type { FeatureName } from '../../protocol/activities/feature-fields.ts';
import { parseOrigins } from '../../stamping/origin.ts';
import type { EffectContext, Outcome } from '../effect.ts';
import type { Settings } from '../state.ts';
import { invalidField } from './refusals.ts';

type Features = Settings['features'];

/** Sets the feature `name`, or takes it away when `value` is null. */
export function changeFeature(
  { organization, now }: EffectContext,
  name: FeatureName,
  value: string | null,
): Outcome<{ features: { name: string; value: string }[] }> {
  const { settings } = organization;
  const index = settings.features.findIndex((feature) => feature.name === name);
  const others = settings.features.filter((feature) => feature.name !== name);
  const at = index < 0 ? others.length : index;
  const features: Features = value === null ? others : others.toSpliced(at, 0, { name, value });
  const passkeys = name === 'FEATURE_NAME_WEBAUTHN_ORIGINS' ? passkeyRules(value) : {};
  return {
    result: { features: [...features] },
    organization: { ...organization, settings: { ...settings, ...passkeys, features, updatedAt: now } },
  };
}

/** Settings for a comma-separated list of origins; null goes back to those that the service is set to. */
function passkeyRules(value: string | null): Pick<Settings, 'origins' | 'rpIds'> {
  if (value === null) return { origins: null, rpIds: null };
  const origins = parseOrigins(value);
  const rpIds = [...new Set(origins.flatMap(rpIdsOf))];
  if (rpIds.length === 0) throw invalidField('parameters.value', 'expected an origin with a domain');
  return { origins, rpIds };
}

/** The host of a web origin and its parent domains of at least two labels (Web Authentication Level 3, §5.1.3: RP id). */
function rpIdsOf(origin: string): string[] {
  const host = URL.parse(origin.replace(/:\*$/, ''))?.hostname ?? '';
  if (host === '' || isIP(host.replace(/^\[|\]$/g, ''))) return [];
  const labels = host.split('.');
  const parents = labels.slice(1, -1).map((_, index) => labels.slice(index + 1).join('.'));
  return [host, ...parents];
}

/** Login methods that a sub-organization starts with: all but those that its creator turned off. */
export function initialFeatures(disabled: {
  disableEmailRecovery?: boolean;
  disableEmailAuth?: boolean;
  disableSmsAuth?: boolean;
  disableOtpEmailAuth?: boolean;
}): Features {
  const enabled: [FeatureName, boolean | undefined][] = [
    ['FEATURE_NAME_EMAIL_AUTH', disabled.disableEmailAuth],
    ['FEATURE_NAME_EMAIL_RECOVERY', disabled.disableEmailRecovery],
    ['FEATURE_NAME_SMS_AUTH', disabled.disableSmsAuth],
    ['FEATURE_NAME_OTP_EMAIL_AUTH', disabled.disableOtpEmailAuth],
  ];
  return enabled.flatMap(([name, isDisabled]) => (isDisabled ? [] : [{ name, value: '' }]));
}
