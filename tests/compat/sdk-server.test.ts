import { expect, test } from 'vitest';
import { newSubOrganization, useService } from './use-service.ts';

const service = useService();
test('x', async () => {
  const sub = await newSubOrganization(service.client());
  console.log(sub);
  console.log(await service.client(sub).getWhoami({ organizationId: sub.organizationId }));
  console.log(JSON.stringify(await service.client(sub).getActivities(), null, 1).slice(0, 1500));
});
