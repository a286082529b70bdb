/** Finds what a packet's header and context say of the packet, and what else they have. */

import type {
  FieldClass,
  NamedClass,
  Role,
  StructClass,
  StructValue,
  Value,
  VariantValue,
} from "./model.ts";

/** Takes out of a value the part that has a role, if it has one. */
type Finder = (value: Value) => Value | undefined;

/** Finds the values of one struct by their roles, at any depth. */
export class RoleFinder {
  readonly #class: StructClass;
  readonly #finders = new Map<Role, Finder | undefined>();

  constructor(structClass: StructClass) {
    this.#class = structClass;
  }

  /** The value with a role; where several have it, the last of them. */
  find(values: StructValue, role: Role): Value | undefined {
    if (!this.#finders.has(role)) {
      this.#finders.set(role, finderOf(this.#class, role));
    }
    return this.#finders.get(role)?.(values);
  }

  /** The integer with a role. */
  integer(values: StructValue, role: Role): bigint | undefined {
    const value = this.find(values, role);
    return typeof value === "number" || typeof value === "bigint"
      ? BigInt(value)
      : undefined;
  }
}

function finderOf(fieldClass: FieldClass, role: Role): Finder | undefined {
  switch (fieldClass.kind) {
    case "struct":
      return structFinder(fieldClass, role);
    case "array":
    case "sequence": {
      const find = finderOf(fieldClass.element, role);
      return find && ((value) => lastOf(value, find));
    }
    case "option": {
      const find = finderOf(fieldClass.content, role);
      return find && ((value) => value === null ? undefined : find(value));
    }
    case "variant": {
      const options = fieldClass.options.map((option) =>
        memberFinder(option, role)
      );
      return options.some((find) => find) ? chosen(options) : undefined;
    }
    default:
      return undefined;
  }
}

function structFinder(
  { members }: StructClass,
  role: Role,
): Finder | undefined {
  const finders = members.flatMap((member, index) => {
    const find = memberFinder(member, role);
    return find ? [{ index, find }] : [];
  });
  if (finders.length === 0) return undefined;
  return (value) => {
    let last: Value | undefined;
    for (const { index, find } of finders) {
      last = find((value as StructValue)[index]!) ?? last;
    }
    return last;
  };
}

/** Of an array or an option, the role is that of what is in it. */
function memberFinder(
  { class: fieldClass, roles }: NamedClass,
  role: Role,
): Finder | undefined {
  return roles?.includes(role) ? ownFinder(fieldClass) : finderOf(
    fieldClass,
    role,
  );
}

function ownFinder(fieldClass: FieldClass): Finder {
  switch (fieldClass.kind) {
    case "sequence":
    case "array": {
      const { element } = fieldClass;
      // TSDL has UUIDs as arrays of bytes.
      if (element.kind === "integer" && element.size === 8) {
        return (value) => value;
      }
      const find = ownFinder(element);
      return (value) => lastOf(value, find);
    }
    case "option": {
      const find = ownFinder(fieldClass.content);
      return (value) => value === null ? undefined : find(value);
    }
    default:
      return (value) => value;
  }
}

function lastOf(value: Value, find: Finder): Value | undefined {
  return (value as readonly Value[]).map(find)
    .findLast((found) => found !== undefined);
}

function chosen(finders: readonly (Finder | undefined)[]): Finder {
  return (value) => {
    const { option, value: inner } = value as VariantValue;
    return finders[option]?.(inner);
  };
}

/** A struct without what is only about the packet, as babeltrace2 shows it. */
export interface VisiblePart {
  readonly class: StructClass;
  /** Its values out of those of the whole struct. */
  readonly of: (values: StructValue) => StructValue;
}

/** The part of a packet's context that is not about the packet itself. */
export function visiblePart(whole: StructClass): VisiblePart {
  const members: NamedClass[] = [];
  const takers: ((values: StructValue) => Value)[] = [];
  for (const [index, member] of whole.members.entries()) {
    if (isHidden(member)) continue;
    if (member.class.kind === "struct") {
      const inner = visiblePart(member.class);
      members.push({ ...member, class: inner.class });
      takers.push((values) => inner.of(values[index] as StructValue));
    } else {
      members.push(member);
      takers.push((values) => values[index]!);
    }
  }
  return {
    class: { ...whole, members },
    of: (values) => takers.map((take) => take(values)),
  };
}

function isHidden({ roles, class: fieldClass }: NamedClass): boolean {
  return roles !== undefined ||
    fieldClass.kind === "variant" && fieldClass.options.every(isHidden);
}
