/** The label of an IPv4 address, an old way to name one as if it had an interface of its own: "eth0:ha". */

/** ip-address(8): at most 15 characters, and it begins with the interface's name. */
const longestLabel = 15;

export function labelFor(label: string, interfaceName: string): string {
  return label.includes(":") ? label : `${interfaceName}:${label}`;
}

/** Undefined when the label can stand on that interface. */
export function labelComplaint(label: string, interfaceName: string): string | undefined {
  const full = labelFor(label, interfaceName);
  if (!full.startsWith(`${interfaceName}:`))
    return `is ${full}, and a label begins with the interface's name: ${interfaceName}:`;
  return full.length > longestLabel
    ? `is ${full}, which is longer than the ${longestLabel} characters of a label`
    : undefined;
}
