// The package's types describe its main entry; the module build, the one that Node can import, is the same code.
declare module 'wgsl_reflect/wgsl_reflect.module.js' {
  export * from 'wgsl_reflect';
}
