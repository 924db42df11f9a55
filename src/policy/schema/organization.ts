import { field, string, struct } from './shorthand.ts';

export const organization = field(
  struct('Organization', {
    id: field(string, 'the id of the organization'),
    name: field(string, 'its name'),
    parent_id: field(string, 'the id of its parent, or empty'),
  }),
  'the organization that the activity belongs to',
);
