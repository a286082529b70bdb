/** Roles of fields: their names in CTF 2, and which may stand where. */

import type { FieldClass, NamedClass, Role, StructClass } from "../model.ts";

/** Of unsigned integers. */
export const INTEGER_ROLES: Readonly<Record<string, Role>> = {
  "packet-magic-number": "magic",
  "data-stream-class-id": "stream-class-id",
  "data-stream-id": "stream-id",
  "packet-total-length": "packet-size",
  "packet-content-length": "content-size",
  "default-clock-timestamp": "timestamp",
  "packet-end-default-clock-timestamp": "timestamp-end",
  "discarded-event-record-counter-snapshot": "events-discarded",
  "packet-sequence-number": "sequence-number",
  "event-record-class-id": "event-class-id",
};

/** Of blobs. */
export const BLOB_ROLES: Readonly<Record<string, Role>> = {
  "metadata-stream-uuid": "trace-uuid",
};

/** Roles that are times of the stream's clock. */
export const CLOCK_ROLES: readonly Role[] = ["timestamp", "timestamp-end"];

/** Roles that a packet's header may have. */
export const HEADER_ROLES: readonly Role[] = [
  "magic",
  "trace-uuid",
  "stream-class-id",
  "stream-id",
];

/** Roles that a packet's context may have. */
export const CONTEXT_ROLES: readonly Role[] = [
  "packet-size",
  "content-size",
  ...CLOCK_ROLES,
  "events-discarded",
  "sequence-number",
];

/** Roles that an event's header may have. */
export const EVENT_ROLES: readonly Role[] = ["timestamp", "event-class-id"];

const NAMES = new Map<Role, string>(
  [INTEGER_ROLES, BLOB_ROLES].flatMap((roles) =>
    Object.entries(roles).map(([name, role]) => [role, name] as const)
  ),
);

/** What CTF 2 calls a role. */
export function nameOf(role: Role): string {
  return NAMES.get(role)!;
}

/** The members and options below a struct that have roles, at any depth. */
export function membersWithRoles(structClass: StructClass): NamedClass[] {
  const found: NamedClass[] = [];
  // Aliases make one class stand in many places: each is looked at once.
  const seen = new Set<FieldClass>();
  function visit(fieldClass: FieldClass): void {
    if (seen.has(fieldClass)) return;
    seen.add(fieldClass);
    switch (fieldClass.kind) {
      case "struct":
        return fieldClass.members.forEach(visitMember);
      case "variant":
        return fieldClass.options.forEach(visitMember);
      case "array":
      case "sequence":
        return visit(fieldClass.element);
      case "option":
        return visit(fieldClass.content);
    }
  }
  function visitMember(member: NamedClass): void {
    if (member.roles) found.push(member);
    visit(member.class);
  }
  visit(structClass);
  return found;
}
