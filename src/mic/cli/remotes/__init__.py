"""The project's history at other places: Git servers, other projects, buckets."""
