/** The name of a parameter in words: `outputFolder` and `output-folder` are `output folder`. */
export function words(name: string): string {
  return name
    .replaceAll(/([a-z\d])([A-Z])/g, '$1 $2')
    .replaceAll(/[-_]/g, ' ')
    .toLowerCase();
}
