/** Finds what lengths and tags refer to: turns classes into fields that know where to look. */

import type {
  FieldClass,
  IntegerRange,
  NamedClass,
  Reference,
  Role,
  Root,
  StructClass,
  VariantClass,
} from "./model.ts";

/** A field in its place: its class, and what depends on where it stands. */
export interface Field<Class extends FieldClass = FieldClass> {
  readonly class: Class;
  /** In bits. */
  readonly alignment: number;
  /** The bits that a value takes at least: bounds the length of lists. */
  readonly leastSize: number;
  /** Members of a struct, options of a variant, or the one element or content. */
  readonly children: readonly Field[];
  readonly roles: readonly Role[];
  /** Where its value is kept, if a later field refers to it. */
  slot: number | undefined;
  /** Where its length or tag is kept. */
  readonly from: number | undefined;
  /** Of a variant: which tags choose which option. */
  readonly choices: readonly Choice[];
}

/** Values of a tag that choose one option. */
export interface Choice extends IntegerRange {
  readonly option: number;
}

/** The names of a struct's members so far, and the struct around it. */
interface Scope {
  readonly names: Map<string, Field | Scope>;
  readonly parent: Scope | undefined;
}

/** Resolves the structs of a trace; what it resolved before can be referred to. */
export class Resolver {
  readonly #roots: Map<string, Scope>;
  /** One for all: a slot has one meaning in a whole trace. */
  readonly #slots: { count: number };

  /** With `base`, after what that has resolved. */
  constructor(base?: Resolver) {
    this.#roots = new Map(base ? base.#roots : []);
    this.#slots = base ? base.#slots : { count: 0 };
  }

  /**
   * Resolves the struct that has the place `root`.
   *
   * @throws {SyntaxError} where a length or a tag refers to no integer.
   */
  resolve(root: Root, structClass: StructClass): Field<StructClass> {
    const scope: Scope = { names: new Map(), parent: undefined };
    this.#roots.set(root, scope);
    return this.#struct(structClass, scope, []) as Field<StructClass>;
  }

  #member(member: NamedClass, scope: Scope): Field {
    const { rawName, class: fieldClass, roles = [] } = member;
    if (fieldClass.kind === "struct") {
      const inner: Scope = { names: new Map(), parent: scope };
      scope.names.set(rawName, inner);
      return this.#struct(fieldClass, inner, roles);
    }
    const field = this.#field(fieldClass, scope, roles);
    if (isCounting(fieldClass)) scope.names.set(rawName, field);
    return field;
  }

  #field(
    fieldClass: FieldClass,
    scope: Scope,
    roles: readonly Role[] = [],
  ): Field {
    switch (fieldClass.kind) {
      case "struct":
        return this.#struct(
          fieldClass,
          { names: new Map(), parent: scope },
          roles,
        );
      case "array":
      case "sequence": {
        const element = this.#field(fieldClass.element, scope);
        return makeField(fieldClass, {
          children: [element],
          from: this.#slotOf(fieldClass.length, scope),
          roles,
        });
      }
      case "text":
      case "blob":
        return makeField(fieldClass, {
          from: this.#slotOf(fieldClass.length, scope),
          roles,
        });
      case "variant":
        return this.#variant(fieldClass, scope, roles);
      case "option":
        return makeField(fieldClass, {
          children: [this.#field(fieldClass.content, scope)],
          from: this.#slotOf(fieldClass.tag, scope),
          roles,
        });
      default:
        return makeField(fieldClass, { roles });
    }
  }

  #struct(
    fieldClass: StructClass,
    scope: Scope,
    roles: readonly Role[],
  ): Field {
    const children = fieldClass.members.map((member) =>
      this.#member(member, scope)
    );
    return makeField(fieldClass, { children, roles });
  }

  #variant(
    fieldClass: VariantClass,
    scope: Scope,
    roles: readonly Role[],
  ): Field {
    const tag = this.#find(fieldClass.tag, scope);
    const inner: Scope = { names: new Map(), parent: scope };
    const children = fieldClass.options.map((option) =>
      this.#member(option, inner)
    );
    const choices = choicesOf(fieldClass, tag.class);
    return makeField(fieldClass, {
      children,
      choices,
      from: this.#keep(tag),
      roles,
    });
  }

  #slotOf(length: number | Reference, scope: Scope): number | undefined {
    return typeof length === "number"
      ? undefined
      : this.#keep(this.#find(length, scope));
  }

  #keep(field: Field): number {
    return field.slot ??= this.#slots.count++;
  }

  #find(reference: Reference, scope: Scope): Field {
    const { root, path } = reference;
    const found = root === undefined
      ? this.#findAround(path, scope)
      : descend(this.#roots.get(root), path);
    if (found) return found;
    const place = [...root === undefined ? [] : [root], ...path]
      .map((name) => name ?? "..").join(".");
    throw new SyntaxError(`Reference ${place} finds no integer`);
  }

  /** From the innermost struct outward, or from a full path's root. */
  #findAround(path: Reference["path"], scope: Scope): Field | undefined {
    for (
      let around: Scope | undefined = scope;
      around;
      around = around.parent
    ) {
      const found = descend(around, path);
      if (found) return found;
    }
    for (const length of [3, 2]) {
      const root = this.#roots.get(path.slice(0, length).join("."));
      const found = descend(root, path.slice(length));
      if (found) return found;
    }
    return undefined;
  }
}

/** Whether a length or a tag may be of this class. */
function isCounting(fieldClass: FieldClass): boolean {
  return fieldClass.kind === "integer" || fieldClass.kind === "enumeration" ||
    fieldClass.kind === "variable-integer" || fieldClass.kind === "boolean";
}

function descend(
  scope: Scope | undefined,
  path: Reference["path"],
): Field | undefined {
  let found: Field | Scope | undefined = scope;
  for (const name of path) {
    if (!found || !("names" in found)) return undefined;
    found = name === null ? found.parent : found.names.get(name);
  }
  return found && "class" in found ? found : undefined;
}

function choicesOf({ tag, options }: VariantClass, from: FieldClass): Choice[] {
  if (options.every(({ ranges }) => ranges !== undefined)) {
    return options.flatMap(({ ranges = [] }, option) =>
      ranges.map(({ first, last }) => ({ first, last, option }))
    );
  }
  if (from.kind !== "enumeration") {
    throw new SyntaxError(
      `Variant tag ${tag.path.join(".")} is no enumeration`,
    );
  }
  return from.mappings.flatMap(({ label, first, last }) => {
    const option = optionOf(options, label);
    return option < 0 ? [] : [{ first, last, option }];
  });
}

/** A label names an option with or without its underscore. */
function optionOf(options: readonly NamedClass[], label: string): number {
  const plain = options.findIndex(({ name }) => name === label);
  if (plain >= 0) return plain;
  return options.findIndex(({ rawName }) => rawName === label);
}

function makeField(
  fieldClass: FieldClass,
  { children = [], roles = [], from, choices = [] }:
    & Partial<Pick<Field, "children" | "roles" | "choices">>
    & { from?: number | undefined },
): Field {
  return {
    class: fieldClass,
    alignment: alignmentOf(fieldClass, children),
    leastSize: leastSizeOf(fieldClass, children),
    children,
    roles,
    slot: undefined,
    from,
    choices,
  };
}

/** CTF 1.8 §4; CTF 2 §5.3. */
function alignmentOf(
  fieldClass: FieldClass,
  children: readonly Field[],
): number {
  switch (fieldClass.kind) {
    case "integer":
    case "float":
      return fieldClass.alignment;
    case "boolean":
    case "bit-map":
      return fieldClass.container.alignment;
    case "enumeration":
      return fieldClass.container.kind === "integer"
        ? fieldClass.container.alignment
        : 8;
    case "variable-integer":
    case "string":
    case "text":
    case "blob":
      return 8;
    case "array":
    case "sequence":
    case "struct":
      return children.reduce(
        (most, { alignment }) => Math.max(most, alignment),
        fieldClass.minimumAlignment,
      );
    case "variant":
    case "option":
      return 1;
  }
}

function leastSizeOf(
  fieldClass: FieldClass,
  children: readonly Field[],
): number {
  switch (fieldClass.kind) {
    case "integer":
    case "float":
      return fieldClass.size;
    case "enumeration":
    case "boolean":
    case "bit-map":
      return leastSizeOf(fieldClass.container, []);
    case "variable-integer":
    case "string":
      return 8;
    case "text":
    case "blob":
      return typeof fieldClass.length === "number" ? fieldClass.length * 8 : 0;
    case "array":
      return fieldClass.length * children[0]!.leastSize;
    case "struct":
      return children.reduce((sum, { leastSize }) => sum + leastSize, 0);
    case "sequence":
    case "variant":
    case "option":
      return 0;
  }
}
