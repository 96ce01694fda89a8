"""Pictures of results: one function a picture, no statistics, no Streamlit."""
