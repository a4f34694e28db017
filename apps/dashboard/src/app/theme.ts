import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core';

/** The accent: a quiet indigo. White on shades 6 and up is over 4.5:1. */
const iris: MantineColorsTuple = [
  '#eef1ff',
  '#dfe4fd',
  '#bcc6f7',
  '#9aa8f2',
  '#7b8cea',
  '#6376e4',
  '#4f63d9',
  '#4254c0',
  '#3a4aab',
  '#2e3c90',
];
const gray: MantineColorsTuple = [
  '#f6f8fa',
  '#eef1f5',
  '#e3e8ee',
  '#d3dae3',
  '#b9c2ce',
  '#95a0af',
  '#707c8c',
  '#525d6d',
  '#38414f',
  '#1c232d',
];
const dark: MantineColorsTuple = [
  '#e4e8ee',
  '#c4cbd5',
  '#9ca6b4',
  '#707b8a',
  '#2b323c',
  '#222831',
  '#191e25',
  '#0f1317',
  '#0b0e12',
  '#07090c',
];

export const theme = createTheme({
  primaryColor: 'iris',
  primaryShade: 6,
  colors: { iris, gray, dark },
  fontFamily: '"Inter Variable", system-ui, -apple-system, "Segoe UI", sans-serif',
  fontFamilyMonospace: '"JetBrains Mono Variable", ui-monospace, "SF Mono", Menlo, monospace',
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.125rem' },
  headings: {
    fontWeight: '620',
    sizes: { h1: { fontSize: '1.375rem' }, h2: { fontSize: '1rem' }, h3: { fontSize: '0.875rem' } },
  },
  defaultRadius: 'md',
  cursorType: 'pointer',
  components: {
    Badge: { styles: { root: { flexShrink: 0 } } },
    Button: { defaultProps: { size: 'sm' } },
    TextInput: { defaultProps: { size: 'sm' } },
    Select: { defaultProps: { size: 'sm', comboboxProps: { shadow: 'md' } } },
    Tooltip: {
      defaultProps: { withArrow: true, openDelay: 250, events: { hover: true, focus: true, touch: true } },
    },
    Menu: { defaultProps: { shadow: 'md' } },
  },
});

/** Colours with a meaning, for both schemes; text in them is at least 4.5:1 on every surface. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#f6f8fa',
    '--mantine-color-text': '#1c232d',
    '--mantine-color-dimmed': '#525d6d',
    '--mantine-color-placeholder': '#606b7b',
    '--mantine-color-anchor': '#3a4aab',
    '--mantine-color-error': '#b3261e',
    '--vg-surface': '#ffffff',
    '--vg-sunken': '#f1f4f7',
    '--vg-border': '#e0e5ec',
    '--vg-hover': '#f4f6f9',
    '--vg-track': '#e6eaf0',
    '--vg-queued': '#875700',
    '--vg-starting': '#0b6584',
    '--vg-running': '#3a4aab',
    '--vg-completed': '#15703f',
    '--vg-failed': '#b3261e',
    '--vg-cancelled': '#525d6d',
    '--vg-shadow': '0 1px 2px rgb(16 24 40 / 5%)',
  },
  dark: {
    '--mantine-color-body': '#0f1317',
    '--mantine-color-text': '#e4e8ee',
    '--mantine-color-dimmed': '#9ca6b4',
    '--mantine-color-placeholder': '#8a95a4',
    '--mantine-color-anchor': '#9aa8f2',
    '--mantine-color-error': '#f28b82',
    '--vg-surface': '#161b21',
    '--vg-sunken': '#11161b',
    '--vg-border': '#272e38',
    '--vg-hover': '#1b2129',
    '--vg-track': '#272e38',
    '--vg-queued': '#e0b35a',
    '--vg-starting': '#63c3dd',
    '--vg-running': '#a5b2f5',
    '--vg-completed': '#5fcb92',
    '--vg-failed': '#f28b82',
    '--vg-cancelled': '#9ca6b4',
    '--vg-shadow': 'none',
  },
});
