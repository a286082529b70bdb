/** In TSDL a member's name says what it is for: gives members their roles (CTF 1.8 §5 and §6). */

import type { FieldClass, NamedClass, Role, StructClass } from "./model.ts";

type Roles = Readonly<Record<string, Role>>;

/** Members of `trace.packet.header`. */
export const PACKET_HEADER_ROLES: Roles = {
  magic: "magic",
  uuid: "trace-uuid",
  stream_id: "stream-class-id",
  stream_instance_id: "stream-id",
};

/** Members of `stream.packet.context`. */
export const PACKET_CONTEXT_ROLES: Roles = {
  packet_size: "packet-size",
  content_size: "content-size",
  timestamp_begin: "timestamp",
  timestamp_end: "timestamp-end",
  events_discarded: "events-discarded",
  packet_seq_num: "sequence-number",
};

/** Gives the members of a packet's header or context the roles of their names. */
export function withRoles(structClass: StructClass, roles: Roles): StructClass {
  return {
    ...structClass,
    members: structClass.members.map((member) => {
      const role = roles[member.rawName];
      return role === undefined ? member : { ...member, roles: [role] };
    }),
  };
}

/** Of an event header: `id`, and every time, at any depth. */
export function withHeaderRoles(header: StructClass): StructClass {
  return { ...header, members: header.members.map(headerMember) };
}

function headerMember<Member extends NamedClass>(member: Member): Member {
  const { class: fieldClass } = member;
  switch (fieldClass.kind) {
    case "struct":
      return { ...member, class: withHeaderRoles(fieldClass) };
    case "variant": {
      const options = fieldClass.options.map(headerMember);
      return { ...member, class: { ...fieldClass, options } };
    }
    default: {
      const role = headerRole(member.rawName, fieldClass);
      return role === undefined ? member : { ...member, roles: [role] };
    }
  }
}

function headerRole(name: string, fieldClass: FieldClass): Role | undefined {
  const integer = fieldClass.kind === "enumeration"
    ? fieldClass.container
    : fieldClass;
  if (integer.kind !== "integer") return undefined;
  if (name === "id") return "event-class-id";
  return integer.clock === undefined ? undefined : "timestamp";
}
