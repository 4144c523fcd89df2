/** Text that Terraform takes as it is: `${` and `%{` begin its own expressions. */
export const literal = (text: string): string =>
  text.replaceAll(/[$%]\{/g, (start) => `${start.charAt(0)}${start}`)
