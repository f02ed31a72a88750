import { libcFunction } from './libc.ts';

/** `ioctl(2)` with a pointer to its argument. */
export const ioctl = libcFunction<[number, number | bigint, Buffer | null], number>(
  'int ioctl(int fd, unsigned long request, void *argument)',
);

/** `ioctl(2)` whose argument is a number. */
export const ioctlNumber = libcFunction<[number, number | bigint, number], number>(
  'int ioctl(int fd, unsigned long request, long argument)',
);
