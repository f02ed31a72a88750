/** Engine API v1.51 `ContainerStatsResponse`. */
export interface ContainerStatsResponse {
  name?: string | null;
  id?: string | null;
  read?: string;
  preread?: string;
  pids_stats?: ContainerPidsStats;
  blkio_stats?: ContainerBlkioStats;
  num_procs?: number;
  storage_stats?: ContainerStorageStats;
  cpu_stats?: ContainerCPUStats;
  precpu_stats?: ContainerCPUStats;
  memory_stats?: ContainerMemoryStats;
  networks?: Record<string, ContainerNetworkStats> | null;
}

/** Engine API v1.51 `ContainerBlkioStats`. */
export interface ContainerBlkioStats {
  io_service_bytes_recursive?: ContainerBlkioStatEntry[];
  io_serviced_recursive?: ContainerBlkioStatEntry[] | null;
  io_queue_recursive?: ContainerBlkioStatEntry[] | null;
  io_service_time_recursive?: ContainerBlkioStatEntry[] | null;
  io_wait_time_recursive?: ContainerBlkioStatEntry[] | null;
  io_merged_recursive?: ContainerBlkioStatEntry[] | null;
  io_time_recursive?: ContainerBlkioStatEntry[] | null;
  sectors_recursive?: ContainerBlkioStatEntry[] | null;
}

/** Engine API v1.51 `ContainerBlkioStatEntry`. */
export interface ContainerBlkioStatEntry {
  major?: number;
  minor?: number;
  op?: string;
  value?: number;
}

/** Engine API v1.51 `ContainerCPUStats`. */
export interface ContainerCPUStats {
  cpu_usage?: ContainerCPUUsage;
  system_cpu_usage?: number | null;
  online_cpus?: number | null;
  throttling_data?: ContainerThrottlingData;
}

/** Engine API v1.51 `ContainerCPUUsage`. */
export interface ContainerCPUUsage {
  total_usage?: number;
  percpu_usage?: number[] | null;
  usage_in_kernelmode?: number;
  usage_in_usermode?: number;
}

/** Engine API v1.51 `ContainerPidsStats`. */
export interface ContainerPidsStats {
  current?: number | null;
  limit?: number | null;
}

/** Engine API v1.51 `ContainerThrottlingData`. */
export interface ContainerThrottlingData {
  periods?: number;
  throttled_periods?: number;
  throttled_time?: number;
}

/** Engine API v1.51 `ContainerMemoryStats`. */
export interface ContainerMemoryStats {
  usage?: number | null;
  max_usage?: number | null;
  stats?: Record<string, number | null>;
  failcnt?: number | null;
  limit?: number | null;
  commitbytes?: number | null;
  commitpeakbytes?: number | null;
  privateworkingset?: number | null;
}

/** Engine API v1.51 `ContainerNetworkStats`. */
export interface ContainerNetworkStats {
  rx_bytes?: number;
  rx_packets?: number;
  rx_errors?: number;
  rx_dropped?: number;
  tx_bytes?: number;
  tx_packets?: number;
  tx_errors?: number;
  tx_dropped?: number;
  endpoint_id?: string | null;
  instance_id?: string | null;
}

/** Engine API v1.51 `ContainerStorageStats`. */
export interface ContainerStorageStats {
  read_count_normalized?: number | null;
  read_size_bytes?: number | null;
  write_count_normalized?: number | null;
  write_size_bytes?: number | null;
}
