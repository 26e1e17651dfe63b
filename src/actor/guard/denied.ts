/** What a plugin gets that does what it may not: as from Node's permission model. */
export type Permission = 'FileSystemRead' | 'FileSystemWrite' | 'ChildProcess' | 'WorkerThreads';

const FIELDS: Record<Permission, string> = {
  FileSystemRead: 'fs.read',
  FileSystemWrite: 'fs.write',
  ChildProcess: 'childProcess',
  WorkerThreads: 'worker',
};

export interface AccessDenied extends Error {
  code: 'ERR_ACCESS_DENIED';
  permission: Permission | '';
  resource: string;
}

export function accessDenied(permission: Permission, resource: string): AccessDenied {
  const message = `Access to this API has been restricted. Use permissions.${FIELDS[permission]} of the plugin to manage permissions.`;
  return denial(message, permission, resource);
}

/** Where Node names no permission. */
export function apiDenied(message: string): AccessDenied {
  return denial(message, '', '');
}

function denial(message: string, permission: Permission | '', resource: string): AccessDenied {
  const code = 'ERR_ACCESS_DENIED' as const;
  return Object.assign(new Error(message), { code, permission, resource });
}
