/** Finds what lengths and tags refer to: turns classes into fields that know where to look. */

import type {
  FieldClass,
  IntegerRange,
  NamedClass,
  OptionClass,
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
  /** Where its value is kept for later fields. */
  readonly slots: number[];
  /** How many later fields refer to it. */
  references: number;
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
  readonly names: Map<string, Place>;
  readonly parent: Scope | undefined;
}

/** What a path may lead to: of a variant that is over, any of its options. */
type Place = Field | Scope | readonly (Place | undefined)[];

/** Is told where a path that goes to a field, or through it, leads. */
type Register = (place: Place | undefined) => void;

/** More fields are refused: aliases make many of a short text. */
const MAX_FIELDS = 2 ** 20;
/** Fields nested deeper are refused: each level costs stack. */
const MAX_DEPTH = 128;

/** Resolves the structs of a trace; what it resolved before can be referred to. */
export class Resolver {
  readonly #roots: Map<string, Scope>;
  /** One for all: a slot has one meaning in a whole trace. */
  readonly #counts: { slots: number; fields: number };
  #depth = 0;

  /** With `base`, after what that has resolved. */
  constructor(base?: Resolver) {
    this.#roots = new Map(base ? base.#roots : []);
    this.#counts = base ? base.#counts : { slots: 0, fields: 0 };
  }

  /**
   * Resolves the struct that has the place `root`.
   *
   * @throws {SyntaxError} where a length or a tag refers to nothing that fits.
   */
  resolve(root: Root, structClass: StructClass): Field<StructClass> {
    const scope: Scope = { names: new Map(), parent: undefined };
    this.#roots.set(root, scope);
    return this.#struct(structClass, scope, []) as Field<StructClass>;
  }

  #field(
    fieldClass: FieldClass,
    scope: Scope,
    roles: readonly Role[],
    register: Register,
  ): Field {
    this.#checkLimits();
    this.#depth++;
    const field = this.#plainField(fieldClass, scope, roles, register);
    this.#depth--;
    return field;
  }

  #checkLimits(): void {
    if (++this.#counts.fields > MAX_FIELDS) {
      throw new SyntaxError(`More than ${MAX_FIELDS} fields are not supported`);
    }
    if (this.#depth >= MAX_DEPTH) {
      throw new SyntaxError(
        `Fields nested more than ${MAX_DEPTH} deep are not supported`,
      );
    }
  }

  #plainField(
    fieldClass: FieldClass,
    scope: Scope,
    roles: readonly Role[],
    register: Register,
  ): Field {
    switch (fieldClass.kind) {
      case "struct": {
        const inner: Scope = { names: new Map(), parent: scope };
        register(inner);
        return this.#struct(fieldClass, inner, roles);
      }
      case "array":
      case "sequence": {
        const from = this.#lengthSlot(fieldClass.length, scope);
        // Its roles are those of what is in it.
        const element = this.#field(fieldClass.element, scope, roles, register);
        register(undefined);
        return makeField(fieldClass, { children: [element], from });
      }
      case "text":
      case "blob":
        return makeField(fieldClass, {
          from: this.#lengthSlot(fieldClass.length, scope),
          roles,
        });
      case "variant":
        return this.#variant(fieldClass, scope, register);
      case "option": {
        const from = this.#optionSlot(fieldClass, scope);
        const content = this.#field(fieldClass.content, scope, roles, register);
        register(undefined);
        return makeField(fieldClass, { children: [content], from });
      }
      default: {
        const field = makeField(fieldClass, { roles });
        if (isInteger(field) || fieldClass.kind === "boolean") register(field);
        return field;
      }
    }
  }

  #struct(
    fieldClass: StructClass,
    scope: Scope,
    roles: readonly Role[],
  ): Field {
    const children = fieldClass.members.map((member) =>
      this.#field(member.class, scope, member.roles ?? [], (place) => {
        if (place) scope.names.set(member.rawName, place);
        else scope.names.delete(member.rawName);
      })
    );
    return makeField(fieldClass, { children, roles });
  }

  #variant(
    fieldClass: VariantClass,
    scope: Scope,
    register: Register,
  ): Field {
    const tags = this.#find(fieldClass.tag, scope, isInteger);
    const from = this.#keep(tags);
    const places: (Place | undefined)[] = [];
    const children = fieldClass.options.map((option, index) =>
      this.#field(option.class, scope, option.roles ?? [], (place) => {
        places[index] = place;
        register(place);
      })
    );
    register(children.map((_, index) => places[index]));
    const choices = choicesOf(fieldClass, tags[0]!.class);
    return makeField(fieldClass, { children, choices, from });
  }

  #lengthSlot(length: number | Reference, scope: Scope): number | undefined {
    return typeof length === "number"
      ? undefined
      : this.#keep(this.#find(length, scope, isInteger));
  }

  #optionSlot({ tag, ranges }: OptionClass, scope: Scope): number {
    return this.#keep(this.#find(tag, scope, ranges ? isInteger : isBoolean));
  }

  /** A slot that all of the fields are kept in. */
  #keep(fields: readonly Field[]): number {
    const [first, ...others] = fields;
    const common = first?.slots.find((slot) =>
      others.every(({ slots }) => slots.includes(slot))
    );
    const slot = common ?? this.#counts.slots++;
    for (const field of fields) {
      field.references++;
      if (common === undefined) field.slots.push(slot);
    }
    return slot;
  }

  /** The field that a reference leads to: where it depends on tags, several. */
  #find(
    reference: Reference,
    scope: Scope,
    fits: (field: Field) => boolean,
  ): readonly Field[] {
    const { root, path, isLocal } = reference;
    const around = isLocal
      ? descend(scope, path)
      : this.#findAround(path, scope);
    const found = root === undefined
      ? around
      : descend(this.#roots.get(root), path);
    if (found && found.length > 0 && found.every(fits)) return found;
    const place = [...root === undefined ? [] : [root], ...path]
      .map((name) => name ?? "..").join(".");
    const what = fits === isBoolean ? "boolean" : "integer";
    throw new SyntaxError(`Reference ${place} finds no ${what}`);
  }

  /** From the innermost struct outward, or from a full path's root. */
  #findAround(
    path: Reference["path"],
    scope: Scope,
  ): readonly Field[] | undefined {
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

function isInteger({ class: { kind } }: Field): boolean {
  return kind === "integer" || kind === "enumeration" ||
    kind === "variable-integer";
}

function isBoolean({ class: { kind } }: Field): boolean {
  return kind === "boolean";
}

/** The fields at the end of a path; nothing where one option has none. */
function descend(
  place: Place | undefined,
  path: Reference["path"],
): readonly Field[] | undefined {
  if (!place) return undefined;
  if (isAlternatives(place)) {
    const found: Field[] = [];
    for (const option of place) {
      const fields = descend(option, path);
      if (!fields) return undefined;
      found.push(...fields);
    }
    return found;
  }
  if (path.length === 0) return "class" in place ? [place] : undefined;
  if (!("names" in place)) return undefined;
  const [name, ...rest] = path;
  return descend(
    name === null ? place.parent : place.names.get(name!),
    rest,
  );
}

function isAlternatives(
  place: Place,
): place is readonly (Place | undefined)[] {
  return Array.isArray(place);
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
    slots: [],
    references: 0,
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
